"""The stage `simulate`: replays days of batches to show when retraining pays."""

from __future__ import annotations

from loguru import logger

from batch_nlp.config import Policy
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.stages import run_stages
from batch_nlp.simulation.replay import replay
from batch_nlp.simulation.simulation_report import show_result, write_result


def simulate(run: RunContext) -> float | None:
    """Replay the scenario of the settings, and write the report.

    Returns macro F1 over all messages under the policy `rule`, or under the first policy if `rule` is not replayed.
    """
    settings = run.config.simulation
    folder = run.layers.reporting / "simulations" / f"{settings.scenario.value}-{run.name}"
    result = replay(run.config, folder, run_stages)
    write_result(result, folder)
    show_result(result)
    logger.info("Simulation: {} s; report: {}", round(result.seconds), folder / "index.html")
    return result.summary(Policy.rule if Policy.rule in settings.policies else settings.policies[0])["f1_macro"]
