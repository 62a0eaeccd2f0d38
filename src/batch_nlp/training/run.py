"""Runs the training pipeline: a candidate from the store's labelled messages, judged and, if it passes, published."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from loguru import logger
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.class_weight import compute_sample_weight

from batch_nlp.config import Balance, Config, plain
from batch_nlp.contracts import FEATURE_COLUMNS, FEATURES_SCHEMA
from batch_nlp.errors import DataError, examples
from batch_nlp.steps import diagram
from batch_nlp.storage.atomic import replacing_folder, write_json, write_parquet, write_text
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.model_file import dump_model
from batch_nlp.storage.registry import CHECK_FILE, MODEL_FILE, TRAINED_ON_FILE, Registry, write_manifest
from batch_nlp.training.card import CARD_FILE, model_card
from batch_nlp.training.gate import Check, GateDecision, check_against_champion, check_thresholds
from batch_nlp.training.pipeline import build_training_pipeline
from batch_nlp.training.split import check_classes, split_messages
from batch_nlp.training.validate import Validation

# Held-out rows that a fresh process must predict alike before a model is published
CHECK_ROWS = 50
_PACKAGES = ("batch-nlp", "scikit-learn", "xgboost", "skops", "numpy", "pandas", "feature-engine")


@dataclass(frozen=True)
class TrainingResult:
    """What a run of the training pipeline did.

    Parameters
    ----------
    candidate : str
        Name of the run; the candidate's folders carry it.
    metrics : dict
        Metrics on the hold-out.
    decision : GateDecision or None
        What the gate said; None where nothing was to be published.
    version : str or None
        The version it was published as.
    """

    candidate: str
    metrics: dict[str, Any]
    decision: GateDecision | None
    version: str | None


def training_fingerprint(config: Config, store: FeatureStore, feature_version: str) -> str:
    """Return what a model follows from: the labelled data and every setting that training reads.

    Two trainings with one fingerprint give the same model.
    """
    training = plain(config.training)
    for name in ("promote", "force", "keep_versions"):
        del training[name]
    content = {
        "data": [feature_version, store.data_version(feature_version).labels, store.count_labelled(feature_version)],
        "dataset": [config.dataset.name, dict(config.dataset.target_map), list(config.dataset.classes)],
        "model": [config.model.estimator, dict(config.model.params)],
        "training": training,
        "seed": config.seed,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def fit(pipeline: Pipeline, rows: pd.DataFrame, labels: pd.Series[int], balance: Balance) -> Pipeline:
    """Fit a training pipeline on rows of the feature store."""
    params = (
        {"training__sample_weight": compute_sample_weight("balanced", labels)} if balance is Balance.weights else {}
    )
    fitted: Pipeline = pipeline.fit(rows[list(FEATURE_COLUMNS)], labels.to_numpy(), **params)
    return fitted


def run_training_pipeline(
    config: Config,
    layers: Layers,
    store: FeatureStore,
    registry: Registry,
    definition: dict[str, Any],
    feature_version: str,
    run: str,
    now: datetime,
) -> TrainingResult:
    """Train a candidate on all labelled messages and publish it if the gate lets it pass.

    Parameters
    ----------
    config : Config
        All settings; ``training.promote`` false trains and measures, and publishes nothing.
    layers, store, registry
        Where data, features and models live.
    definition : dict
        Definition of the features, kept with the model.
    feature_version : str
        Version of the features to train on.
    run : str
        Name of the run.
    now : datetime
        Time of the run.

    Returns
    -------
    TrainingResult

    Raises
    ------
    DataError
        If labels are missing, or a class has too few messages.
    """
    data = store.data_version(feature_version)
    messages = store.labelled(data)
    labels = _labels(messages, config)
    classes = list(config.dataset.classes)
    check_classes(labels, classes, config.training.min_class_messages, "labelled messages")
    training = config.training
    train, held_out = split_messages(messages, labels, training.split, training.holdout, config.seed)
    check_classes(labels[train], classes, training.min_class_messages, "messages to train on")
    check_classes(labels[held_out], classes, 1, "held-out messages")
    logger.info(
        "Training: {:,} messages, {:,} held out ({} split), classes {}",
        len(train),
        len(held_out),
        training.split.value,
        "/".join(f"{share:.0%}" for share in labels[train].value_counts(normalize=True).sort_index()),
    )
    start = time.perf_counter()
    pipeline = fit(build_training_pipeline(config), messages.loc[train], labels[train], training.balance)
    logger.info("Training: {} fitted in {:.1f} s", config.model.name, time.perf_counter() - start)

    rows, truth = messages.loc[held_out], np.asarray(labels[held_out], dtype=np.int64)
    probabilities = pipeline.predict_proba(rows[list(FEATURE_COLUMNS)])
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    validation = Validation.of(truth, predicted, classes)
    _write_model_data(layers, run, messages, labels, held_out, probabilities)
    write_text(layers.diagrams / "training.html", diagram(pipeline, "training pipeline"))

    decision = None
    if training.promote is not False:
        checks = check_thresholds(validation, training.thresholds)
        decision = GateDecision(checks + _champion_checks(config, store, registry, rows, truth, predicted))
    manifest = {
        "created_at": now.isoformat(),
        "dataset": config.dataset.name,
        "generated_data": config.dataset.generate,
        "classes": classes,
        "data_version": asdict(data),
        "training_fingerprint": training_fingerprint(config, store, feature_version),
        "feature_definition": definition,
        "settings": _settings(config),
        "training_rows": len(train),
        "holdout_rows": len(held_out),
        "holdout_from": rows["written_at"].min().isoformat(),
        "metrics": validation.to_dict(),
        "reference": _reference(validation, probabilities, classes),
        "gate": decision.to_list() if decision else None,
        "packages": {"python": platform.python_version(), **{name: package_version(name) for name in _PACKAGES}},
    }
    folder = layers.candidates / run
    _write_candidate(folder, pipeline, manifest, messages.loc[train], rows, probabilities)
    _keep_newest(layers.candidates, training.keep_versions)
    write_json(layers.reporting / "training" / f"{run}.json", {**manifest, "candidate": run})
    published = registry.publish(folder, now, training.keep_versions) if decision and decision.passed else None
    return TrainingResult(run, validation.to_dict(), decision, published)


def _labels(messages: pd.DataFrame, config: Config) -> pd.Series[int]:
    labels = messages["target"].map(dict(config.dataset.target_map))
    unknown = messages["target"][labels.isna()].unique()
    if len(unknown):
        raise DataError(
            f"{int(labels.isna().sum()):,} stored labels are none of dataset.target_map: {examples(sorted(unknown))}. "
            "Add them to the map."
        )
    return labels.astype(int)


def _champion_checks(
    config: Config,
    store: FeatureStore,
    registry: Registry,
    rows: pd.DataFrame,
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
) -> list[Check]:
    """Return the gate's checks against the champion, on the held-out messages that it has features of."""
    gate = config.training.gate
    if gate.tolerance is None and gate.max_recall_drop is None:
        return []
    try:
        champion = registry.champion()
    except DataError as error:  # a damaged champion must not keep a sound candidate from taking its place
        logger.error("The champion cannot be compared with: {}", error)
        champion = None
    if champion is None:
        return []
    manifest = champion.manifest
    if manifest["dataset"] != config.dataset.name or manifest["classes"] != list(config.dataset.classes):
        logger.warning("The champion {} was trained for other messages or classes: not compared", champion.version)
        return []
    # what the champion has learned from says nothing about how good it is
    learned = pq.read_table(registry.root / champion.version / TRAINED_ON_FILE)["message"].to_numpy()
    unseen = ~np.isin(_message_hashes(rows), learned)
    version = manifest["data_version"]["feature_version"]
    known = store.features_of(version, rows["message_id"][unseen].to_list()).set_index("message_id")
    common = unseen & rows["message_id"].isin(known.index).to_numpy()
    if not common.any():
        return [Check("held-out messages that the champion has not learned from", 0, 1, False)]
    logger.info("Gate: compared with {} on {:,} of {:,} held-out messages", champion.version, common.sum(), len(rows))
    champion_rows = known.loc[rows["message_id"][common], list(FEATURE_COLUMNS)]
    champion_predicted = champion.pipeline.predict_proba(champion_rows).argmax(axis=1)
    return check_against_champion(
        truth[common],
        predicted[common],
        champion_predicted,
        list(config.dataset.classes),
        config.training.metric,
        config.training.gate,
        config.seed,
    )


def _message_hashes(rows: pd.DataFrame) -> NDArray[np.uint64]:
    """Return 64 bits that stand for each message's id."""
    return pd.util.hash_array(rows["message_id"].to_numpy(dtype=object))


def _settings(config: Config) -> dict[str, Any]:
    return {"seed": config.seed, "model": plain(config.model), "training": plain(config.training)}


def _reference(validation: Validation, probabilities: NDArray[np.float64], classes: list[str]) -> dict[str, Any]:
    """Return what predictions look like while nothing has drifted."""
    return {
        "predicted_shares": dict(zip(classes, validation.predicted_shares.tolist(), strict=True)),
        "mean_confidence": float(probabilities.max(axis=1).mean()),
    }


def _write_model_data(
    layers: Layers,
    run: str,
    messages: pd.DataFrame,
    labels: pd.Series[int],
    held_out: pd.Index[int],
    probabilities: NDArray[np.float64],
) -> None:
    """Keep which messages were used for what, and what was predicted for those held out."""
    part = pd.Series("train", messages.index, object)
    part[held_out] = "holdout"
    split = pa.table({"message_id": messages["message_id"], "label": labels.to_numpy(), "part": part})
    write_parquet(layers.model_input / f"{run}.parquet", split)
    outputs = pa.table(
        {
            "message_id": messages["message_id"][held_out],
            "label": labels[held_out].to_numpy(),
            "probabilities": list(probabilities.astype(float)),
        }
    )
    write_parquet(layers.model_output / f"{run}.parquet", outputs)


def _write_candidate(
    folder: Path,
    pipeline: Pipeline,
    manifest: dict[str, Any],
    trained_on: pd.DataFrame,
    rows: pd.DataFrame,
    probabilities: NDArray[np.float64],
) -> None:
    with replacing_folder(folder) as temporary:
        dump_model(temporary / MODEL_FILE, pipeline)
        check = pa.Table.from_pandas(rows.iloc[:CHECK_ROWS], schema=FEATURES_SCHEMA, preserve_index=False)
        expected = pa.array(list(probabilities[:CHECK_ROWS].astype(float)), pa.list_(pa.float64()))
        write_parquet(temporary / CHECK_FILE, check.append_column("probabilities", expected))
        write_parquet(temporary / TRAINED_ON_FILE, pa.table({"message": _message_hashes(trained_on)}))
        write_text(temporary / CARD_FILE, model_card(manifest))
        write_manifest(temporary, manifest)


def _keep_newest(folder: Path, number: int) -> None:
    for old in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))[:-number]:
        shutil.rmtree(old)
