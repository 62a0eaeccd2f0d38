"""The stage `learning_curve`: says whether more labelled messages would improve the model."""

from __future__ import annotations

from loguru import logger

from batch_nlp.runner.context import RunContext
from batch_nlp.storage.atomic import write_json, write_text
from batch_nlp.training.learning_curve.learning_curve_report import curve_markdown, curve_page, show_curve
from batch_nlp.training.learning_curve.measure_curve import measure_learning_curve
from batch_nlp.training.run import room_for_arrays


def draw_learning_curve(run: RunContext) -> float:
    """Train on growing shares and write the learning curve; nothing is published.

    Returns the selection metric of the model with the most messages. Raises a `DataError` if every share has too few.
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
