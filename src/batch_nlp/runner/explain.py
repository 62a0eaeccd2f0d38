"""The stage `explain`: why the champion classifies a message as it does."""

from __future__ import annotations

from loguru import logger

from batch_nlp.dataset.classes import ClassMap
from batch_nlp.errors import DataError
from batch_nlp.runner.champion import champion_of
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.atomic import write_json, write_text
from batch_nlp.storage.outcomes import abstained_name
from batch_nlp.training.explanation import explain_message, explanation_name, explanation_page, show_explanation


def explain(run: RunContext) -> None:
    """Explain the decision on a message of the feature store in the terminal, as a page and as JSON."""
    config, champion = run.config, champion_of(run, scores=False)
    message_id = str(config.message_id)
    version = champion.manifest["data_version"]["feature_version"]
    found = run.store.features_of(version, [message_id])
    if found.empty:
        raise DataError(
            f"message_id={message_id!r}: not in the feature store {run.store.folder} (feature version {version}, that "
            f"of the champion {champion.version}). Check that the id belongs to dataset={config.dataset.name}. "
            "pipeline=feature and pipeline=inference add messages to the store, except those in quarantine."
        )
    classes = list(champion.manifest["classes"])
    target = run.store.labels.of([message_id]).get(message_id)
    label = -1 if target is None else ClassMap.from_dict(champion.manifest["label_map"]).index(target)
    truth = None if label < 0 else classes[label]
    explanation = explain_message(
        champion.pipeline,
        champion.fields,
        found.iloc[:1],
        classes,
        truth,
        champion.version,
        abstained_name(champion.manifest),
    )
    show_explanation(explanation)
    folder, name = run.layers.reporting / "explanations", explanation_name(message_id)
    write_json(folder / f"{name}.json", explanation.to_dict())
    write_text(folder / f"{name}.html", explanation_page(explanation))
    logger.info("Explanation: {}", folder / f"{name}.html")
