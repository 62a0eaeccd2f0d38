"""Compares a candidate with the champion on the same messages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import Config, Role
from batch_nlp.dataset.message_columns import names_of
from batch_nlp.errors import BatchNlpError, DataError, SettingsError, examples
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.manifest import TRAINED_ON_FILE
from batch_nlp.storage.model_code import CannotRunError
from batch_nlp.storage.reference import REFERENCE_FILE
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.storage.samples import id_hashes, read_checked
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.gate import DIFFERS, GateCheck, check_against_champion
from batch_nlp.training.pipeline import in_parts

# Adds the features that a model needs to the store, for some messages. The runner passes it in, because the pipelines
# never import each other
AddFeatures = Callable[[Model, list[str]], None]


def compare_with_champion(
    candidate: Candidate,
    config: Config,
    store: FeatureStore,
    registry: Registry,
    add_features: AddFeatures | None = None,
) -> tuple[list[GateCheck], str]:
    """Compare a candidate with the champion.

    Both are measured on the held-out messages that the champion was not trained on and whose features are in the store
    in the champion's feature version; missing features are added first. A champion that was refitted on all messages
    has also learned its own hold-out: there, the predictions that the gate saw count.
    Classes are compared by name: a champion's class that the candidate does not know is never right, and neither is a
    message of no class.

    Returns
    -------
    checks : list of GateCheck
        As ``training.gate`` asks for. None without a champion, or where this installation cannot load or run it or
        compute its features: no sound candidate may fail for that. The check that the two differ is left out where the
        candidate reads text columns that the champion does not, or times in other formats.
    not_compared : str
        Why the two were not compared, if there is a champion and a setting to compare them.
    """
    gate = config.training.gate
    if gate.tolerance is None and gate.max_recall_drop is None:
        return [], ""
    try:
        champion = registry.champion()
    except DataError as error:
        logger.error("Cannot compare with the champion: {}", error)
        return [], str(error)
    if champion is None:
        return [], ""
    if champion.manifest["dataset"] != config.dataset.name:
        reason = f"the champion {champion.version} was trained for dataset {champion.manifest['dataset']}"
        logger.warning("Not compared: {}", reason)
        return [], reason
    rows = candidate.rows
    learned = pq.read_table(registry.root / champion.version / TRAINED_ON_FILE)["message"].to_numpy()
    unseen = ~np.isin(id_hashes(rows["message_id"]), learned)
    new = int(unseen.sum())
    known, failure = _features(champion, rows["message_id"][unseen].to_list(), store, add_features)
    unseen &= rows["message_id"].isin(known.index).to_numpy()
    judged = _judged(champion, registry)
    predicted = np.array([judged.get(message, -1) for message in rows["message_id"]], dtype=np.int64)
    common = unseen | (predicted >= 0)
    if not common.any():
        return _nothing_to_compare(champion, new, failure, config)
    logger.info("Gate: compared with {} on {:,} of {:,} held-out messages", champion.version, common.sum(), len(rows))
    if unseen.any():
        champion_rows = known.loc[rows["message_id"][unseen], champion.fields.names]
        predicted[unseen] = champion.decide(in_parts(champion.pipeline.predict_proba, champion_rows))
    own = {name: index for index, name in enumerate(candidate.classes)}
    by_name = np.array([own.get(name, len(own)) for name in champion.outcomes])
    checks = check_against_champion(
        candidate.truth[common],
        candidate.predicted[common],
        by_name[predicted[common]],
        candidate.classes,
        config.training.metric,
        gate,
        config.seed,
    )
    if more := _read_otherwise(champion, config):
        logger.info("Gate: it may be equal to {}, since it reads more of {}", champion.version, examples(more))
        checks = [check for check in checks if check.name != DIFFERS]
    return checks, ""


def _features(
    champion: Model, ids: list[str], store: FeatureStore, add_features: AddFeatures | None
) -> tuple[pd.DataFrame, BatchNlpError | None]:
    """Return the champion's features of messages, by message id, and why those that the store lacks were not added."""
    version = champion.manifest["data_version"]["feature_version"]
    known = store.features_of(version, ids).set_index("message_id")
    if add_features is None or not (lacking := [message for message in ids if message not in known.index]):
        return known, None
    logger.info(
        "Gate: computing the features that {} needs (feature version {}) for {:,} held-out messages",
        champion.version,
        version,
        len(lacking),
    )
    failure: BatchNlpError | None = None
    try:
        add_features(champion, lacking)
    except (DataError, SettingsError) as error:
        logger.error("Gate: the features that {} needs cannot be computed: {}", champion.version, error)
        failure = error
    return store.features_of(version, ids).set_index("message_id"), failure


def _nothing_to_compare(
    champion: Model, new: int, error: BatchNlpError | None, config: Config
) -> tuple[list[GateCheck], str]:
    """Return the check or the reason where there are no messages to measure both models on.

    `new` held-out messages are unknown to the champion; `error` kept its features from being computed.
    """
    if isinstance(error, CannotRunError):
        return [], str(error)
    if not new:
        return [GateCheck("held-out messages that the champion has not learned from", 0, 1, False)], ""
    if error is None and (more := _read_otherwise(champion, config)):
        reason = f"{champion.version} cannot read {examples(more)} as the held-out messages have it"
        logger.warning("Not compared: {}", reason)
        return [], reason
    logger.error(
        "Gate: {} cannot be measured on any of the {:,} held-out messages that it was not trained on, because they are "
        "not in {}. Restore the files, or judge by training.thresholds alone: training.gate.tolerance=null "
        "training.gate.max_recall_drop=null",
        champion.version,
        new,
        config.dataset.raw_dir,
    )
    return [GateCheck(f"held-out messages that {champion.version} can read", 0, 1, False)], ""


def _read_otherwise(champion: Model, config: Config) -> list[str]:
    """Return the text columns that the champion does not read, and the time columns that it reads in another format."""
    known, columns = dict(champion.manifest["feature_definition"]["columns"]), config.dataset.messages.columns
    texts = [name for name in names_of(columns, Role.text) if name not in known]
    times = [name for name in names_of(columns, Role.time) if name in known]
    return texts + [name for name in times if known[name].get("format") != columns[name].format]


def _judged(champion: Model, registry: Registry) -> dict[str, int]:
    """Return the predictions, by message id, by which a refitted champion was judged; they are in its reference."""
    if not champion.manifest.get("refit"):
        return {}
    sample = read_checked(registry.root / champion.version / REFERENCE_FILE, ["message_id", "predicted_class"])
    return dict(zip(sample["message_id"].to_pylist(), sample["predicted_class"].to_pylist(), strict=True))
