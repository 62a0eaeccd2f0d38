"""The stage `learning_curve`: whether more labelled messages would make a better model."""

from __future__ import annotations

from loguru import logger

from batch_nlp.config import Config
from batch_nlp.errors import SettingsError
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.atomic import write_json, write_text
from batch_nlp.training.learning_curve.learning_curve_report import curve_markdown, curve_page, show_curve
from batch_nlp.training.learning_curve.measure_curve import measure_learning_curve
from batch_nlp.training.run import room_for_arrays


def check_shares(config: Config) -> None:
    """Raise a `SettingsError` when the shares to train on are none."""
    shares = list(config.learning_curve.shares)
    if not shares or shares != sorted(set(shares)) or not 0 < shares[0] <= shares[-1] <= 1:
        raise SettingsError(
            f"learning_curve.shares={shares}: need shares over 0 and up to 1, in rising order, for example "
            "[0.1,0.3,0.6,1.0]."
        )


def draw_learning_curve(run: RunContext) -> float:
    """Train on growing shares, say whether more data would help, and write the curve; nothing is published.

    Returns the selection metric of the largest model; a `DataError` says that every share has too few messages.
    """
    config = run.config
    version = run.definition.version
    with room_for_arrays(config, run.layers, run.store.count_labelled(version)):
        messages = run.store.labelled(run.store.data_version(version))
        found = measure_learning_curve(config, messages, run.fields, run.layers.checkpoints)
    show_curve(found)
    folder = run.layers.reporting / "learning_curve"
    about = {"run": run.name, "at": run.now.isoformat(), "dataset": config.dataset.name}
    write_json(folder / f"{run.name}.json", {**about, **found.to_dict()})
    write_text(folder / f"{run.name}.md", curve_markdown(found))
    write_text(folder / f"{run.name}.html", curve_page(found))
    logger.info("Learning curve: {}", folder / f"{run.name}.html")
    return found.points[-1].scores[config.training.metric]
