"""Candidate and champion on the same messages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import Config, Role
from batch_nlp.dataset.columns import names_of
from batch_nlp.errors import DataError, examples
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.manifest import TRAINED_ON_FILE
from batch_nlp.storage.reference import REFERENCE_FILE
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.storage.samples import id_hashes, read_checked
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.gate import DIFFERS, Check, check_against_champion
from batch_nlp.training.pipeline import in_parts


@dataclass(frozen=True)
class Comparison:
    """What the gate found when it compared a candidate with the champion, or why it could not compare them."""

    checks: list[Check]
    not_compared: str = ""


def compare_with_champion(candidate: Candidate, config: Config, store: FeatureStore, registry: Registry) -> Comparison:
    """Compare a candidate with the champion.

    They are made on the held-out messages that the champion has not learned from and that the store holds in the
    champion's own feature version. A champion that was fitted again on all messages has learned from its own hold-out
    too: there, the predictions count by which it was judged, those of the model that had not seen them.
    Classes are compared by name: what the champion calls by a name that the candidate does not know is never right.

    Parameters
    ----------
    config : Config
        ``training.gate`` says what is asked; without it, or without a champion, nothing is.

    Returns
    -------
    Comparison
        Without the check that the two differ where the candidate reads texts under a name that the champion does not,
        or times in other forms.
        Without checks where the champion is damaged or cannot be run: no sound candidate may fail for it.
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
    version = champion.manifest["data_version"]["feature_version"]
    known = store.features_of(version, rows["message_id"][unseen].to_list()).set_index("message_id")
    unseen &= rows["message_id"].isin(known.index).to_numpy()
    judged = _judged(champion, registry)
    predicted = np.array([judged.get(message, -1) for message in rows["message_id"]], dtype=np.int64)
    common = unseen | (predicted >= 0)
    if not common.any():
        return Comparison([Check("held-out messages that the champion has not learned from", 0, 1, False)])
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
    if new := _read_otherwise(champion, config):
        logger.info("Gate: it may be equal to {}, since it reads more of {}", champion.version, examples(new))
        checks = [check for check in checks if check.name != DIFFERS]
    return Comparison(checks)


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
