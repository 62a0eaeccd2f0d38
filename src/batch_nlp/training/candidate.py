"""A trained model before the gate: what it was trained and measured on, and its folders."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from batch_nlp.contracts import FEATURE_COLUMNS, FEATURES_SCHEMA
from batch_nlp.storage.atomic import replacing_folder, write_parquet, write_text
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.model_file import dump_model
from batch_nlp.storage.registry import CHECK_FILE, MODEL_FILE, TRAINED_ON_FILE, write_manifest
from batch_nlp.training.card import CARD_FILE, model_card
from batch_nlp.training.validate import Validation

# Held-out rows that a fresh process must predict alike before a model is published
CHECK_ROWS = 50


def message_hashes(rows: pd.DataFrame) -> NDArray[np.uint64]:
    """Return 64 bits that stand for each message's id, shape (n,)."""
    return pd.util.hash_array(rows["message_id"].to_numpy(dtype=object))


@dataclass(frozen=True)
class Candidate:
    """A fitted pipeline with the messages that it was trained and measured on.

    Parameters
    ----------
    name : str
        Name of the run that trained it; its folders carry it.
    pipeline : Pipeline
        Fitted on the messages of `train`.
    classes : list of str
        Names of the classes.
    messages : DataFrame, shape (n, ...)
        All labelled messages, as rows of the feature store.
    labels : Series of int, shape (n,)
        Their classes.
    train, held_out : Index
        Which of them are for what.
    """

    name: str
    pipeline: Pipeline
    classes: list[str]
    messages: pd.DataFrame
    labels: pd.Series[int]
    train: pd.Index[int]
    held_out: pd.Index[int]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The held-out messages."""
        return self.messages.loc[self.held_out]

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """Their classes, shape (n_held_out,)."""
        return np.asarray(self.labels[self.held_out], dtype=np.int64)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Their predicted probabilities, shape (n_held_out, n_classes)."""
        return np.asarray(self.pipeline.predict_proba(self.rows[list(FEATURE_COLUMNS)]), dtype=np.float64)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """Their predicted classes, shape (n_held_out,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @cached_property
    def validation(self) -> Validation:
        """Metrics on them."""
        return Validation.of(self.truth, self.predicted, self.classes)

    def measurements(self) -> dict[str, Any]:
        """Return what the manifest says of the data and of the quality on the hold-out."""
        return {
            "training_rows": len(self.train),
            "holdout_rows": len(self.held_out),
            "holdout_from": self.rows["written_at"].min().isoformat(),
            "metrics": self.validation.to_dict(),
            # what predictions look like while nothing has drifted
            "reference": {
                "predicted_shares": dict(zip(self.classes, self.validation.predicted_shares.tolist(), strict=True)),
                "mean_confidence": float(self.probabilities.max(axis=1).mean()),
            },
        }

    def write_data(self, layers: Layers) -> None:
        """Keep which messages were used for what, and what was predicted for those held out."""
        part = pd.Series("train", self.messages.index, object)
        part[self.held_out] = "holdout"
        split = {"message_id": self.messages["message_id"], "label": self.labels.to_numpy(), "part": part}
        write_parquet(layers.model_input / f"{self.name}.parquet", pa.table(split))
        outputs = {
            "message_id": self.rows["message_id"],
            "label": self.truth,
            "probabilities": list(self.probabilities),
        }
        write_parquet(layers.model_output / f"{self.name}.parquet", pa.table(outputs))

    def write(self, folder: Path, manifest: dict[str, Any]) -> None:
        """Write the folder that a version in the registry is copied from, all or nothing."""
        with replacing_folder(folder) as temporary:
            dump_model(temporary / MODEL_FILE, self.pipeline)
            check = pa.Table.from_pandas(self.rows.iloc[:CHECK_ROWS], schema=FEATURES_SCHEMA, preserve_index=False)
            expected = pa.array(list(self.probabilities[:CHECK_ROWS]), pa.list_(pa.float64()))
            write_parquet(temporary / CHECK_FILE, check.append_column("probabilities", expected))
            trained_on = pa.table({"message": message_hashes(self.messages.loc[self.train])})
            write_parquet(temporary / TRAINED_ON_FILE, trained_on)
            write_text(temporary / CARD_FILE, model_card(manifest))
            write_manifest(temporary, manifest)


def keep_newest(folder: Path, number: int) -> None:
    """Remove all candidates but the newest ones."""
    for old in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))[:-number]:
        shutil.rmtree(old)
