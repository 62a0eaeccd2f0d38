"""The stage `explain`: why the champion decides on a message as it does."""

from __future__ import annotations

from loguru import logger

from batch_nlp.config import Config
from batch_nlp.dataset.classes import ClassMap
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.runner.champion import champion_of
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.atomic import write_json, write_text
from batch_nlp.training.explanation import explain_message, explanation_name, explanation_page, show_explanation


def check_message_id(config: Config) -> None:
    """Raise a `SettingsError` when nobody said which message is meant."""
    if not config.message_id:
        raise SettingsError(
            "message_id: pipeline=explain needs the id of a message. Say, for example, message_id=abc-1; quote one "
            "with other characters or one that looks like a number: 'message_id=\"a b\"'."
        )


def explain(run: RunContext) -> None:
    """Show why the champion decides on a message that the store holds, and write it as HTML and JSON."""
    config, champion = run.config, champion_of(run, scores=False)
    message_id = str(config.message_id)
    version = champion.manifest["data_version"]["feature_version"]
    found = run.store.features_of(version, [message_id])
    if found.empty:
        raise DataError(
            f"message_id={message_id!r}: the feature store {run.store.folder} holds no message of that id (feature "
            f"version {version}, of the champion {champion.version}). Is it an id of dataset={config.dataset.name}? "
            "New messages enter the store by pipeline=feature and pipeline=inference; those in quarantine never do."
        )
    classes = list(champion.manifest["classes"])
    target = run.store.labels.of([message_id]).get(message_id)
    label = -1 if target is None else ClassMap.from_dict(champion.manifest["label_map"]).index(target)
    truth = None if label < 0 else classes[label]
    explanation = explain_message(champion.pipeline, champion.fields, found.iloc[:1], classes, truth, champion.version)
    show_explanation(explanation)
    folder, name = run.layers.reporting / "explanations", explanation_name(message_id)
    write_json(folder / f"{name}.json", explanation.to_dict())
    write_text(folder / f"{name}.html", explanation_page(explanation))
    logger.info("Explanation: {}", folder / f"{name}.html")
