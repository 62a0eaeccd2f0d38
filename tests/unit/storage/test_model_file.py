from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.naming import refusal

from batch_nlp.errors import DataError, ExitCode
from batch_nlp.storage.model_file import canonical, dump_model, load_model
from batch_nlp.training.ngram_scores import NgramScores

TEXTS = pd.DataFrame({"text": ["good food", "bad food", "so so", "good", "bad !", "so ?"] * 4})
LABELS = np.array([2, 0, 1] * 8)


def small_model() -> Pipeline:
    steps = [
        ("ngrams", NgramScores(min_df=1, folds=2)),
        ("scaler", StandardScaler()),
        ("training", LogisticRegression()),
    ]
    return Pipeline(steps).fit(TEXTS, LABELS)


def test_a_model_predicts_the_same_after_it_was_written_and_read(tmp_path: Path) -> None:
    model = small_model()
    dump_model(tmp_path / "model.skops", model)
    loaded = load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_equal_models_have_equal_bytes_whenever_and_wherever_they_are_written(tmp_path: Path) -> None:
    model = small_model()
    for name in ("first", "second"):
        dump_model(tmp_path / name, model)
    dump_model(tmp_path / "fitted again", small_model())
    dump_model(tmp_path / "read and written", load_model(tmp_path / "first"))
    code = (
        "import sys; from pathlib import Path; from batch_nlp.storage.model_file import dump_model, load_model\n"
        "dump_model(Path(sys.argv[2]), load_model(Path(sys.argv[1])))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "first"), str(tmp_path / "other process")]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "12345"})
    contents = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 5
    assert len(contents) == 1


def test_another_model_has_other_bytes(tmp_path: Path) -> None:
    dump_model(tmp_path / "a", small_model())
    other = small_model()
    other.named_steps["scaler"].mean_[0] += 1e-12
    dump_model(tmp_path / "b", other)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_canonical_keeps_every_entry() -> None:
    archive = skops.io.dumps(small_model())
    with zipfile.ZipFile(_file(archive)) as before, zipfile.ZipFile(_file(canonical(archive))) as after:
        sizes = [sorted(info.file_size for info in source.infolist() if info.filename != "schema.json")
                 for source in (before, after)]  # fmt: skip
    assert sizes[0] == sizes[1]
    assert canonical(canonical(archive)) == canonical(archive)


def _file(data: bytes) -> object:
    import io

    return io.BytesIO(data)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/batch_nlp_was_here",)


def test_a_model_that_names_another_type_is_refused_by_type_and_file(tmp_path: Path) -> None:
    """Guarantee 21."""
    path = tmp_path / "model.skops"
    path.write_bytes(skops.io.dumps(Pipeline([("evil", FunctionTransformer(pd.read_pickle))])))
    with refusal(DataError, path.name, "pandas", "read_pickle") as refused:
        load_model(path)
    assert refused.value.exit_code is ExitCode.DATA


def test_a_pickle_is_no_model_and_is_not_executed(tmp_path: Path) -> None:
    """Guarantee 21."""
    import pickle

    mark = tmp_path / "mark"

    class Touch:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (mark,)

    path = tmp_path / "model.skops"
    path.write_bytes(pickle.dumps(Touch()))
    with refusal(DataError, path.name):
        load_model(path)
    assert not mark.exists()


def test_something_else_than_a_pipeline_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(skops.io.dumps(LogisticRegression()))
    with refusal(DataError, path.name, "LogisticRegression"):
        load_model(path)


@pytest.mark.parametrize("keep", [0, 1, 10, 1000, -1, -30])
def test_a_cut_off_model_is_refused_by_name(tmp_path: Path, keep: int) -> None:
    """Guarantee 2."""
    path = tmp_path / "model.skops"
    dump_model(path, small_model())
    path.write_bytes(path.read_bytes()[:keep])
    with refusal(DataError, path.name):
        load_model(path)


def test_a_missing_model_is_refused_by_name(tmp_path: Path) -> None:
    with refusal(DataError, "model.skops"):
        load_model(tmp_path / "model.skops")


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    """Guarantee 2; beside the hash in the manifest, which comes first."""
    path = tmp_path / "model.skops"
    model = small_model()
    dump_model(path, model)
    whole, expected = path.read_bytes(), model.predict_proba(TEXTS)
    random = np.random.default_rng(5)
    refused = 0
    for place in random.integers(0, len(whole), 60):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            found = load_model(path).predict_proba(TEXTS)
        except DataError as error:
            assert "model.skops" in str(error)  # noqa: PT017 both outcomes are right, and only these two
            refused += 1
        else:
            np.testing.assert_array_equal(found, expected)
    assert refused > 30
