"""A candidate: a trained model before the gate, with its measurements and its folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline

from batch_nlp.dataset.split import rows_at
from batch_nlp.fields import TEXT, Fields
from batch_nlp.storage.atomic import replacing_folder, temporary_name, write_text
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.manifest import CHECK_FILE, MODEL_FILE, TRAINED_ON_FILE, write_manifest
from batch_nlp.storage.model_code import code_of
from batch_nlp.storage.model_file import dump_model
from batch_nlp.storage.outcomes import outcomes
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.reference import entropies, of_predicted, write_reference
from batch_nlp.storage.run_clock import is_claimed
from batch_nlp.storage.samples import id_hashes
from batch_nlp.training.abstention import abstention_facts
from batch_nlp.training.calibration import calibration_error, class_scores
from batch_nlp.training.pipeline import encode
from batch_nlp.training.tuned_classifier import TunedClassifier
from batch_nlp.training.validation import Validation

# Held-out rows that a fresh process must predict identically before a model is published
CHECK_ROWS = 50


@dataclass(frozen=True)
class Candidate:
    """A fitted pipeline with the messages that it was trained and measured on."""

    # Name of the run that trained it, and of its folders
    name: str
    # Fitted on the messages of `train`
    pipeline: Pipeline
    classes: list[str]
    # Columns that the pipeline reads
    fields: Fields
    # All labelled messages, as rows of the feature store, shape (n, ...)
    messages: pd.DataFrame
    # Their classes, shape (n,); -1 without a class
    labels: pd.Series[int]
    # The messages on each side of the split
    train: pd.Index[int]
    hold_out: pd.Index[int]
    # Rank of each class in the order of the labels, shape (n_classes,); None without an order
    ranks: NDArray[np.int64] | None = None
    # What it predicts for messages of no class; None if it always predicts a class
    abstained: str | None = None
    # The out-of-scope messages on each side of the split
    outside_train: pd.Index[int] = field(default_factory=lambda: pd.Index([], dtype=np.int64))
    outside_hold_out: pd.Index[int] = field(default_factory=lambda: pd.Index([], dtype=np.int64))

    @property
    def outcomes(self) -> list[str]:
        """The names that it can predict, by their index: the classes and, if it abstains, a name after them."""
        return outcomes(self.classes, self.abstained)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The held-out messages."""
        return rows_at(self.messages, self.hold_out)

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """Classes of the held-out messages, shape (n_hold_out,)."""
        return np.asarray(self.labels[self.hold_out], dtype=np.int64)

    @property
    def with_class(self) -> pd.Index[int]:
        """All messages with a class, including those on neither side of the split."""
        return self.messages.index[(self.labels >= 0).to_numpy()]

    @property
    def classifier(self) -> TunedClassifier:
        """The last step of the pipeline."""
        return cast("TunedClassifier", self.pipeline.steps[-1][1])

    @cached_property
    def encoded(self) -> pd.DataFrame:
        """The classifier's input for the held-out messages, shape (n_hold_out, n_features)."""
        return encode(self.pipeline, self.rows[self.fields.names])

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """The classifier's scores of the held-out messages, without calibration, shape (n_hold_out, n_classes)."""
        return class_scores(self.classifier.estimator_, self.encoded)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Calibrated probabilities of the held-out messages, shape (n_hold_out, n_classes)."""
        return self.classifier.predict_proba(self.encoded)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """Predicted outcomes of the held-out messages, shape (n_hold_out,)."""
        return self.classifier.decide(self.probabilities)

    @cached_property
    def validation(self) -> Validation:
        """Metrics on the held-out messages."""
        return Validation.of(self.truth, self.predicted, self.outcomes, self.ranks)

    @cached_property
    def abstention(self) -> dict[str, Any] | None:
        """How well it abstains; None if it always predicts a class."""
        if self.abstained is None:
            return None
        outside = np.empty((0, len(self.classes)))
        if len(self.outside_hold_out):
            rows = rows_at(self.messages, self.outside_hold_out)[self.fields.names]
            outside = self.classifier.predict_proba(encode(self.pipeline, rows))
        return abstention_facts(self.classifier, self.probabilities, self.truth, outside)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Metrics as JSON values, with log loss and the expected calibration error after and before calibration."""
        return {
            **self.validation.to_dict(),
            "log_loss": log_loss(self.truth, self.probabilities, labels=range(len(self.classes))),
            "ece": calibration_error(self.probabilities, self.truth),
            "ece_uncalibrated": calibration_error(softmax(self.scores, axis=1), self.truth),
            **({} if self.abstention is None else {"abstention": self.abstention}),
        }

    def measurements(self) -> dict[str, Any]:
        """Return the manifest's facts about the data and about the quality on the hold-out."""
        first = self.rows["written_at"].min()
        return {
            "training_rows": len(self.train),
            "holdout_rows": len(self.hold_out),
            "holdout_from": None if pd.isna(first) else first.isoformat(),
            "metrics": self.metrics,
            # what predictions look like without drift
            "reference": {
                "predicted_shares": dict(zip(self.outcomes, self.validation.predicted_shares.tolist(), strict=True)),
                "predicted_counts": np.bincount(self.predicted, minlength=len(self.outcomes)).tolist(),
                # of the predicted class, which need not be the most probable one
                "mean_confidence": float(of_predicted(self.probabilities, self.predicted).mean()),
                "mean_entropy": float(entropies(self.probabilities).mean()),
                "training_shares": (
                    np.bincount(self.labels[self.train], minlength=len(self.classes)) / len(self.train)
                ).tolist(),
            },
        }

    def write_data(self, layers: Layers) -> None:
        """Write which messages were used for what, and the predictions for the held-out ones."""
        part = pd.Series("left out", self.messages.index, object)
        part[self.train], part[self.hold_out] = "train", "holdout"
        split = {"message_id": self.messages["message_id"], "label": self.labels.to_numpy(), "part": part}
        write_parquet(layers.model_input / f"{self.name}.parquet", pa.table(split))
        outputs = {
            "message_id": self.rows["message_id"],
            "label": self.truth,
            "probabilities": list(self.probabilities),
        }
        write_parquet(layers.model_output / f"{self.name}.parquet", pa.table(outputs))

    def write(
        self,
        folder: Path,
        manifest: dict[str, Any],
        card: Mapping[str, str],
        reference_size: int,
        refitted: Pipeline | None = None,
    ) -> None:
        """Write the candidate's folder, all or nothing; publishing copies it into the registry.

        `reference_size` held-out messages are kept for comparisons with later batches. Where the model was `refitted`
        on all messages, that model is kept; the measurements remain those of the candidate's own pipeline.
        """
        learned, probabilities = self.train.append(self.outside_train), self.probabilities[:CHECK_ROWS]
        if refitted is not None:
            learned = self.with_class.append(self.outside_train)
            probabilities = refitted.predict_proba(self.rows.iloc[:CHECK_ROWS][self.fields.names])
        with replacing_folder(folder) as temporary:
            dump_model(temporary / MODEL_FILE, self.pipeline if refitted is None else refitted)
            check = pa.Table.from_pandas(self.rows.iloc[:CHECK_ROWS], schema=self.fields.schema, preserve_index=False)
            expected = pa.array(list(probabilities), pa.list_(pa.float64()))
            write_parquet(temporary / CHECK_FILE, check.append_column("probabilities", expected))
            trained_on = pa.table({"message": id_hashes(self.messages.loc[learned, "message_id"])})
            write_parquet(temporary / TRAINED_ON_FILE, trained_on)
            write_reference(
                temporary,
                self.fields,
                self.rows,
                self.truth,
                self.predicted,
                self.probabilities,
                rows_at(self.messages, self.train)[TEXT],
                reference_size,
            )
            for name, page in card.items():
                write_text(temporary / name, page)
            steps = [dict(step)["_target_"] for step in manifest["feature_definition"]["steps"]]
            write_manifest(temporary, {**manifest, "code": code_of(temporary / MODEL_FILE, steps)})


def keep_newest(folder: Path, number: int) -> None:
    """Remove all but the newest candidates; candidates of other runs in progress stay."""
    old = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))[:-number]
    for path in old:
        if is_claimed(folder, path.name):
            continue
        try:
            # renamed in one step, because a concurrent run that shares the lock may be removing the same folder
            gone = path.rename(temporary_name(path))
        except FileNotFoundError:
            continue
        shutil.rmtree(gone)
