"""Candidate and champion on the same messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
from batch_nlp.training.gate import DIFFERS, Check, check_against_champion
from batch_nlp.training.pipeline import in_parts

# Adds features of some messages to the store, as a model needs them. It comes from above: the pipelines never import
# each other
AddFeatures = Callable[[Model, list[str]], None]


@dataclass(frozen=True)
class Comparison:
    """What the gate found when it compared a candidate with the champion, or why it could not compare them."""

    checks: list[Check]
    not_compared: str = ""


def compare_with_champion(
    candidate: Candidate,
    config: Config,
    store: FeatureStore,
    registry: Registry,
    add_features: AddFeatures | None = None,
) -> Comparison:
    """Compare a candidate with the champion.

    They are compared on the held-out messages that the champion has not learned from and that the store holds in the
    champion's own feature version, once those that it lacks were added. A champion that was fitted again on all
    messages has learned from its own hold-out too: there, the predictions count by which it was judged, those of the
    model that had not seen them.
    Classes are compared by name: what the champion calls by a name that the candidate does not know is never right.

    Parameters
    ----------
    config : Config
        ``training.gate`` says what is asked; without it, or without a champion, nothing is.
    add_features : callable, optional
        Computes features by the champion's definition, where the candidate's is another one.

    Returns
    -------
    Comparison
        Without the check that the two differ where the candidate reads texts under a name that the champion does not,
        or times in other forms.
        Without checks where the champion is damaged or cannot be run, or the features that it needs not be computed by
        this installation: no sound candidate may fail for it.
    """
    gate = config.training.gate
    if gate.tolerance is None and gate.max_recall_drop is None:
        return Comparison([])
    try:
        champion = registry.champion()
    except DataError as error:
        logger.error("The champion cannot be compared with: {}", error)
        return Comparison([], str(error))
    if champion is None:
        return Comparison([])
    if champion.manifest["dataset"] != config.dataset.name:
        reason = f"the champion {champion.version} was trained for dataset {champion.manifest['dataset']}"
        logger.warning("Not compared: {}", reason)
        return Comparison([], reason)
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
    by_name = np.array([own.get(name, len(own)) for name in champion.manifest["classes"]])
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
    return Comparison(checks)


def _features(
    champion: Model, ids: list[str], store: FeatureStore, add_features: AddFeatures | None
) -> tuple[pd.DataFrame, BatchNlpError | None]:
    """Return the features that the champion needs of messages, by their id; those that the store lacks are added.

    Beside them is what kept them from being computed.
    """
    version = champion.manifest["data_version"]["feature_version"]
    known = store.features_of(version, ids).set_index("message_id")
    if add_features is None or not (lacking := [message for message in ids if message not in known.index]):
        return known, None
    logger.info(
        "Gate: the features that {} needs (feature version {}) are computed for {:,} held-out messages",
        champion.version,
        version,
        len(lacking),
    )
    failed: BatchNlpError | None = None
    try:
        add_features(champion, lacking)
    except (DataError, SettingsError) as error:
        logger.error("Gate: the features that {} needs cannot be computed: {}", champion.version, error)
        failed = error
    return store.features_of(version, ids).set_index("message_id"), failed


def _nothing_to_compare(champion: Model, new: int, error: BatchNlpError | None, config: Config) -> Comparison:
    """Return what the gate says where there is no message that both models can be measured on.

    Parameters
    ----------
    champion : Model
    new : int
        Held-out messages that it has not learned from.
    error : BatchNlpError or None
        What kept its features of them from being computed.
    config : Config
    """
    if isinstance(error, CannotRunError):
        return Comparison([], str(error))
    if not new:
        return Comparison([Check("held-out messages that the champion has not learned from", 0, 1, False)])
    if error is None and (more := _read_otherwise(champion, config)):
        reason = f"{champion.version} cannot read {examples(more)} as the held-out messages have it"
        logger.warning("Not compared: {}", reason)
        return Comparison([], reason)
    logger.error(
        "Gate: {} cannot be given any of the {:,} held-out messages that it has not learned from: it reads none of "
        "them in {}. If the files cannot be restored, judge by training.thresholds alone: training.gate.tolerance=null "
        "training.gate.max_recall_drop=null",
        champion.version,
        new,
        config.dataset.raw_dir,
    )
    return Comparison([Check(f"held-out messages that {champion.version} can read", 0, 1, False)])


def _read_otherwise(champion: Model, config: Config) -> list[str]:
    """Return texts that the champion does not know and times of other forms: on the same data, they change nothing."""
    known, columns = dict(champion.manifest["feature_definition"]["columns"]), config.dataset.messages.columns
    texts = [name for name in names_of(columns, Role.text) if name not in known]
    times = [name for name in names_of(columns, Role.time) if name in known]
    return texts + [name for name in times if known[name].get("format") != columns[name].format]


def _judged(champion: Model, registry: Registry) -> dict[str, int]:
    """Return what a champion that was fitted again was judged by: the class of the messages of its reference."""
    if not champion.manifest.get("refit"):
        return {}
    sample = read_checked(registry.root / champion.version / REFERENCE_FILE, ["message_id", "predicted_class"])
    return dict(zip(sample["message_id"].to_pylist(), sample["predicted_class"].to_pylist(), strict=True))
