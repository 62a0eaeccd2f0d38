"""The origin of a model: the data, settings and packages that it was trained with."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from importlib.metadata import version as package_version
from typing import Any

from batch_nlp.config import Config, plain
from batch_nlp.dataset.label_order import is_ordered
from batch_nlp.dataset.labels import levels_of, listed_targets, out_of_scope_targets
from batch_nlp.dataset.split import split_of
from batch_nlp.storage.feature_store import DataVersion, FeatureStore
from batch_nlp.storage.model_code import PACKAGES


def training_fingerprint(config: Config, store: FeatureStore, feature_version: str) -> str:
    """Return a fingerprint of the labelled data and of every setting that training reads.

    Trainings with equal fingerprints give the same model.
    """
    training, dataset, label = plain(config.training), config.dataset, config.dataset.label
    listed = list((listed_targets(label) or {}).items())
    order = ["ordered"] if is_ordered(label) else []
    for name in ("promote", "force", "keep_versions", "rows_in_memory"):
        del training[name]
    if training["decision"]["abstain"] is None:  # as in models of earlier releases
        del training["decision"]["abstain"]
    outside = [["out of scope", *sorted(out_of_scope_targets(label))]] if label.out_of_scope else []
    training["inputs"] = [kind.value for kind in config.inputs]
    split = [split_of(config), dataset.split.column]
    content = {
        "data": [feature_version, store.labels_version(), store.count_labelled(feature_version)],
        "dataset": [dataset.name, levels_of(label), listed, label.rare, *split, *order, *outside],
        "model": [config.model.estimator, dict(config.model.params)],
        "training": training,
        "seed": config.seed,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def origin_of(config: Config, data: DataVersion, fingerprint: str) -> dict[str, Any]:
    """Return the facts about the origin of a model for its manifest."""
    return {
        "dataset": config.dataset.name,
        "generated_data": config.dataset.generate,
        "data_version": asdict(data),
        "training_fingerprint": fingerprint,
        "settings": {"seed": config.seed, "model": plain(config.model), "training": plain(config.training)},
        "packages": {"python": platform.python_version(), **{name: package_version(name) for name in PACKAGES}},
    }
