"""Where everything is stored: the layers of Kedro's data-engineering convention below one root."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class _Below:
    """A path below the data root, in which ``{dataset}`` stands for the name of the dataset."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __get__(self, layers: Layers, owner: type[Layers]) -> Path:
        return layers.root / self._path.format(dataset=layers.dataset)


@dataclass(frozen=True)
class Layers:
    """The folders of one dataset below the data root, ``paths.data``.

    Layers with messages have a folder per dataset, so that two datasets never mix.
    """

    root: Path
    dataset: str

    # Labels of generated batches, until they arrive
    pending_labels = _Below("01_raw/sample_pending")
    # Typed messages as they arrived, and the side tables
    intermediate = _Below("02_intermediate/{dataset}")
    # The columns that the raw tables had when the feature pipeline last read them
    seen_columns = _Below("02_intermediate/{dataset}/columns.json")
    # Messages that meet their contract, with clean text
    primary = _Below("03_primary/{dataset}")
    # Raw rows that the feature pipeline left out, one file per run
    feature_quarantine = _Below("03_primary/{dataset}/quarantine")
    # The Delta tables of features and labels
    feature_store = _Below("04_feature/{dataset}")
    # Tables that embedders compute once, shared by all datasets
    embedding_cache = _Below("04_feature/embedding_cache")
    # The messages that a candidate was trained and evaluated on
    model_input = _Below("05_model_input/{dataset}")
    # Trained models before the gate
    candidates = _Below("06_models/{dataset}")
    # Progress of fits that can be resumed
    checkpoints = _Below("06_models/checkpoints/{dataset}")
    # Predictions of candidates on their hold-out
    model_output = _Below("07_model_output/{dataset}")
    # Some messages of each batch, with their features and predictions, for the analysis of drift
    samples = _Below("07_model_output/{dataset}/samples")
    # Reports for people, the decision log and the logs of runs
    reporting = _Below("08_reporting")
    # A page and its facts per inference batch, and the index
    batch_reports = _Below("08_reporting/batches")
    # Cards of the models that scored batches, kept when their versions are removed
    cards = _Below("08_reporting/cards")
    # Metrics for Prometheus: point its textfile collector here
    metrics = _Below("08_reporting/metrics")
    # One line per decision
    decisions = _Below("08_reporting/decisions.jsonl")
    # Settings and log per call; nothing in it is written under a temporary name
    runs = _Below("08_reporting/runs")
    # HTML diagrams of the three pipelines
    diagrams = _Below("08_reporting/pipelines")
    # One record per inference batch
    batches = _Below("09_inference/batches")
    # The files and messages of batches, including batches that were removed
    known = _Below("09_inference/known")
    # Delivered predictions, one folder per batch
    predictions = _Below("09_inference/predictions")
    # Raw rows that inference left out, one file per batch
    inference_quarantine = _Below("09_inference/quarantine")

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """The folders that only runs write to, so neither ``01_raw`` nor the inbox."""
        return (
            self.intermediate,
            self.primary,
            self.root / "04_feature",
            self.model_input,
            self.candidates,
            self.model_output,
            self.reporting,
            self.batches,
            self.known,
            self.predictions,
            self.inference_quarantine,
        )


def documents(folder: Path) -> list[str]:
    """Return the sorted names of the JSON documents in a folder, without hidden ones; none if it does not exist.

    Folders of batches hold thousands of documents: making a `Path` of each would take longer than reading the new ones.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if name.endswith(".json") and not name.startswith("."))
