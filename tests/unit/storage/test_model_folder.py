from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn
import skops.io
from loguru import logger
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from tests.fields import FIELDS
from tests.naming import assert_names, refusal

from batch_nlp.config.targets import FEATURE_STEPS, MODEL_CODE, MODEL_TYPES
from batch_nlp.errors import DataError
from batch_nlp.storage import model_folder
from batch_nlp.storage.manifest import CHECK_FILE, MODEL_FILE, read_manifest, write_manifest
from batch_nlp.storage.model_code import code_of
from batch_nlp.storage.model_file import dump_model
from batch_nlp.storage.model_folder import open_model
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.training.encoding import EmbeddingColumns

SPREAD = "batch_nlp.training.encoding.EmbeddingColumns"
VECTORS = [[0.0, 1.0], [1.0, 0.0], [0.0, 2.0], [2.0, 0.0]]


def published(folder: Path, shift: float = 0.0, lost: str = "", **facts: Any) -> Path:
    """Make a model's folder.

    `shift` moves the stored probabilities away from those that the model gives, `lost` is an attribute of a step that
    the file does not have.
    """
    rows = pd.DataFrame({"embedding": VECTORS})
    model = Pipeline([("spread", EmbeddingColumns()), ("training", LogisticRegression())]).fit(rows, [0, 1, 0, 1])
    probabilities = model.predict_proba(rows) + shift
    if lost:
        delattr(model.named_steps["spread"], lost)
    folder.mkdir()
    dump_model(folder / MODEL_FILE, model)
    vectors = pa.array(VECTORS, pa.list_(pa.float32()))
    write_parquet(folder / CHECK_FILE, pa.table({"embedding": vectors, "probabilities": list(probabilities)}))
    write_manifest(folder, {"fields": FIELDS.to_list(), **facts})
    return folder


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Return what is logged, and what was told of earlier models is forgotten."""
    model_folder._warn_once.cache_clear()
    found: list[str] = []
    sink = logger.add(lambda message: found.append(message.record["message"]), level="WARNING")
    yield found
    logger.remove(sink)


SAME = {"code": {"model": {SPREAD: MODEL_CODE[SPREAD]}, "features": {}}}
OTHER_LIBRARIES = {"packages": {"batch-nlp": "0.0.9", "scikit-learn": "1.0.2", "numpy": np.__version__}}


def test_the_versions_of_our_types_in_a_file_and_of_the_feature_steps_are_what_a_model_needs(tmp_path: Path) -> None:
    folder = published(tmp_path / "v0001")
    steps = ["batch_nlp.steps.keep.Keep", "batch_nlp.steps.mask.Mask", "my.own.Step"]
    # keeping computes nothing, and steps from elsewhere have the version that their settings give
    assert code_of(folder / MODEL_FILE, steps) == {
        "model": {SPREAD: MODEL_CODE[SPREAD]},
        "features": {"batch_nlp.steps.mask.Mask": FEATURE_STEPS["batch_nlp.steps.mask.Mask"]},
    }


@pytest.mark.parametrize(
    ("made", "differs"),
    [
        ({"code": {"model": {SPREAD: 9}}}, ["EmbeddingColumns", 9, 1]),
        # whatever its manifest says, and older ones say nothing
        ({"lost": "dims_", **SAME}, ["AttributeError", "EmbeddingColumns", "dims_"]),
        ({"shift": 0.01}, ["check.parquet"]),
        (
            {"shift": 0.01, **SAME, **OTHER_LIBRARIES},
            ["batch-nlp", "0.0.9", "scikit-learn", "1.0.2", sklearn.__version__],
        ),
    ],
)
def test_a_model_that_cannot_run_is_refused_with_what_differs(
    tmp_path: Path, made: dict[str, Any], differs: list[object]
) -> None:
    folder = published(tmp_path / "v0001", **made)
    with refusal(DataError, "v0001", "pipeline=training", *differs):
        open_model(folder, read_manifest(folder))


def test_of_other_libraries_one_line_is_told_and_nothing_that_they_say_themselves(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sklearn.base, "__version__", "1.0.2")  # what an estimator enters in its file
        folder = published(tmp_path / "v0001", **SAME, **OTHER_LIBRARIES)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        skops.io.load(folder / MODEL_FILE, trusted=list(MODEL_TYPES))
        assert [warning.category.__name__ for warning in said].count("InconsistentVersionWarning") == 2
        said.clear()
        for _ in range(2):
            open_model(folder, read_manifest(folder))
        assert said == []
    assert len(lines) == 1
    assert_names(lines[0], "v0001", "scikit-learn", "1.0.2", sklearn.__version__)
