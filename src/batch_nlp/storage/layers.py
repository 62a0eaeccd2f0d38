"""Where everything lives: the layers of Kedro's data-engineering convention below one root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layers:
    """The folders of one dataset below the data root.

    Parameters
    ----------
    root : Path
        ``paths.data``.
    dataset : str
        Name of the dataset. Layers that hold its messages are kept apart by it, so that two datasets never mix.
    """

    root: Path
    dataset: str

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """The folders that only runs write to; ``01_raw`` and the inbox are not among them."""
        return (
            self.intermediate,
            self.primary,
            self.root / "04_feature",
            self.model_input,
            self.candidates,
            self.model_output,
            self.reporting,
            self.batches,
            self.predictions,
            self.inference_quarantine,
        )

    @property
    def intermediate(self) -> Path:
        """Typed messages, as they came in, and the side tables."""
        return self.root / "02_intermediate" / self.dataset

    @property
    def primary(self) -> Path:
        """Messages that keep their contract, with clean text."""
        return self.root / "03_primary" / self.dataset

    @property
    def feature_store(self) -> Path:
        """The Delta tables of features and labels."""
        return self.root / "04_feature" / self.dataset

    @property
    def embedding_cache(self) -> Path:
        """Tables that embedders make once; the same for all datasets."""
        return self.root / "04_feature" / "embedding_cache"

    @property
    def model_input(self) -> Path:
        """Which messages a candidate was trained and measured on."""
        return self.root / "05_model_input" / self.dataset

    @property
    def candidates(self) -> Path:
        """Trained models before the gate."""
        return self.root / "06_models" / self.dataset

    @property
    def checkpoints(self) -> Path:
        """How far a fit came that can be resumed."""
        return self.root / "06_models" / "checkpoints" / self.dataset

    @property
    def model_output(self) -> Path:
        """Predictions of candidates on their hold-out."""
        return self.root / "07_model_output" / self.dataset

    @property
    def samples(self) -> Path:
        """Some messages of each batch, with their features and predictions, for the analysis of drift."""
        return self.model_output / "samples"

    @property
    def reporting(self) -> Path:
        """Reports for people, the decision log and the logs of runs."""
        return self.root / "08_reporting"

    @property
    def batch_reports(self) -> Path:
        """A page and its facts for every inference batch, and the index of all."""
        return self.reporting / "batches"

    @property
    def metrics(self) -> Path:
        """Metrics for Prometheus: point its textfile collector here."""
        return self.reporting / "metrics"

    @property
    def decisions(self) -> Path:
        """One line for every decision."""
        return self.reporting / "decisions.jsonl"

    @property
    def diagrams(self) -> Path:
        """HTML diagrams of the three pipelines."""
        return self.reporting / "pipelines"

    @property
    def batches(self) -> Path:
        """One record for every inference batch."""
        return self.root / "09_inference" / "batches"

    @property
    def predictions(self) -> Path:
        """Predictions that were handed over, one folder a batch."""
        return self.root / "09_inference" / "predictions"

    @property
    def feature_quarantine(self) -> Path:
        """Raw rows that runs of the feature pipeline left out, one file a run."""
        return self.primary / "quarantine"

    @property
    def inference_quarantine(self) -> Path:
        """Raw rows that inference left out, one file a batch."""
        return self.root / "09_inference" / "quarantine"

    @property
    def seen_columns(self) -> Path:
        """Which columns the raw tables had when a run of the feature pipeline last took them in."""
        return self.intermediate / "columns.json"

    @property
    def pending_labels(self) -> Path:
        """Labels of generated batches that have not arrived yet."""
        return self.root / "01_raw" / "sample_pending"
