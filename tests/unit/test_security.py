"""What comes from a file is data, never code, and never leaves its folder."""

from __future__ import annotations

import ast
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from tests.conftest import ROOT, MakeConfig
from tests.naming import refusal

from batch_nlp.errors import DataError, SettingsError
from batch_nlp.storage.atomic import write_json
from batch_nlp.storage.manifest import read_manifest, write_manifest
from batch_nlp.storage.model_file import dump_model, load_model
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.registry import Registry
from batch_nlp.tracking.pyfunc import _load_pyfunc
from batch_nlp.training.explanation import explanation_name

# What turns bytes into objects by running code, or text into code
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "joblib.load", "joblib.dump", "torch.load", "torch.save", "np.load",
    "numpy.load", "np.save", "pd.read_pickle", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load",
}  # fmt: skip
FORBIDDEN_ATTRIBUTES = {"read_pickle", "to_pickle", "allow_pickle", "unsafe_load"}


class Trap(BaseEstimator):
    """Leaves a mark as soon as it is brought back to life."""

    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def fit(self, X: object, y: object = None) -> Trap:
        self.fitted_ = True
        return self

    def transform(self, X: object) -> object:
        return X

    def __setstate__(self, state: dict[str, object]) -> None:
        Path(str(state["mark"])).touch()

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path(self.mark),)


def model() -> Pipeline:
    return Pipeline([("classifier", DummyClassifier().fit(np.zeros((4, 1)), [0, 1, 0, 1]))])


def crafted(mark: Path) -> dict[str, bytes]:
    """Return files that pass for a model and are none."""
    skops_with_trap = skops.io.dumps(Pipeline([("trap", Trap(str(mark))), *model().steps]))
    skops_with_function = skops.io.dumps(Pipeline([("call", FunctionTransformer(pd.read_pickle)), *model().steps]))
    archive = io.BytesIO(skops_with_trap)
    other = io.BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":  # says to be of a type that is trusted, with a loader that runs what it names
                schema = json.loads(content)
                schema["content"]["__loader__"] = "OperatorFuncNode"
                schema |= {"__module__": "os", "__class__": "system"}
                content = json.dumps(schema).encode()
            target.writestr(name, content)
    return {
        "a type that is not listed": skops_with_trap,
        "a function that is not listed": skops_with_function,
        "a schema that names os.system": other.getvalue(),
        "a pickle": pickle.dumps(Trap(str(mark))),
        "a pickle of protocol 0": pickle.dumps(Trap(str(mark)), protocol=0),
    }


@pytest.mark.parametrize("kind", list(crafted(Path("mark"))))
def test_a_crafted_model_file_is_refused_and_runs_nothing(kind: str, tmp_path: Path) -> None:
    """Guarantee 21."""
    mark, file = tmp_path / "mark", tmp_path / "model.skops"
    content = crafted(mark)[kind]
    mark.unlink(missing_ok=True)
    file.write_bytes(content)
    with refusal(DataError, "model.skops", *(["Trap" if "type" in kind else "read_pickle"] * ("not listed" in kind))):
        load_model(file)
    assert not mark.exists()


def test_the_same_trap_goes_off_where_pickle_is_used(tmp_path: Path) -> None:
    """The test above can fail."""
    pickle.loads(pickle.dumps(Trap(str(tmp_path / "mark"))))
    assert (tmp_path / "mark").exists()


def published(root: Path, content: bytes) -> Registry:
    folder = root / "v0001"
    folder.mkdir(parents=True)
    (folder / "model.skops").write_bytes(content)
    rows = {"number": [0.0, 1.0], "probabilities": [[0.5, 0.5], [0.5, 0.5]]}  # what `model` says of any two
    write_parquet(folder / "check.parquet", pa.table(rows))
    write_manifest(folder, {"classes": ["a", "b"], "fields": [], "code": {}})
    write_json(root / "champion.json", {"version": "v0001", "previous": []})
    return Registry(root)


def test_a_crafted_model_that_someone_published_with_a_right_hash_is_refused_too(tmp_path: Path) -> None:
    """Guarantee 21: whoever can write to the registry can write the hash as well; the list of types holds."""
    registry = published(tmp_path / "models", crafted(tmp_path / "mark")["a type that is not listed"])
    for load in (registry.champion, lambda: _load_pyfunc(str(tmp_path / "models" / "v0001"))):
        with refusal(DataError, "Trap"):
            load()
    assert not (tmp_path / "mark").exists()


def test_the_hash_is_checked_before_a_model_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guarantee 21: a changed file is refused as damaged, not for what it holds."""
    dump_model(tmp_path / "sound.skops", model())
    registry = published(tmp_path / "models", (tmp_path / "sound.skops").read_bytes())
    assert registry.champion() is not None
    (tmp_path / "models" / "v0001" / "model.skops").write_bytes(crafted(tmp_path / "mark")["a pickle"])
    monkeypatch.setattr("skops.io.get_untrusted_types", lambda **_: pytest.fail("it was looked into"))
    for load in (registry.champion, lambda: _load_pyfunc(str(tmp_path / "models" / "v0001"))):
        with refusal(DataError, "model.skops"):
            load()


@pytest.mark.parametrize("files", [{}, {"../model.skops": "0"}])
def test_a_manifest_that_leaves_out_the_model_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    from batch_nlp.storage.seal import write_sealed

    published(tmp_path, b"never looked into")
    write_sealed(tmp_path / "v0001" / "manifest.json", {"classes": ["a"], "files": files})
    with refusal(DataError, "manifest.json", "model.skops"):
        read_manifest(tmp_path / "v0001")


def test_names_within_a_model_file_lead_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    dump_model(folder / "model.skops", model())
    with zipfile.ZipFile(folder / "model.skops", "a") as archive:
        archive.writestr("../../evil.txt", "outside")
        archive.writestr(str(tmp_path / "absolute.txt"), "outside")
    load_model(folder / "model.skops")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["model.skops"]


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("folder", ["src", "tools", "start_batch_nlp.py"])
def test_nothing_in_the_source_loads_a_pickle_or_runs_text(folder: str) -> None:
    """Guarantee 21; torch's own checkpoints of a killed fit are loaded by transformers, with weights_only."""
    place = ROOT / folder
    found = []
    for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.partition(".")[0] in FORBIDDEN_MODULES]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
                names = [str(node.module)]
            elif isinstance(node, ast.Call) and dotted(node.func) in FORBIDDEN_CALLS:
                names = [dotted(node.func)]
            elif isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES:
                names = [node.attr]
            elif isinstance(node, ast.keyword) and node.arg in {"allow_pickle", "trust_remote_code", "shell"}:
                is_false = isinstance(node.value, ast.Constant) and node.value.value is False
                names = [] if is_false else [f"{node.arg}={ast.unparse(node.value)}"]
            found += [f"{path}: {name}" for name in names]
    assert not found


HOSTILE_NAMES = ["../up", "/etc/passwd", "..", "a/b", "a\\b", ".hidden", "", " ", "a\nb", "$(id)", "~", "a\x00b"]


@pytest.mark.parametrize(
    ("key", "name"), [*(("dataset.name", name) for name in HOSTILE_NAMES), ("pipeline.name", "../up")]
)
def test_a_name_that_would_lead_out_of_its_folder_is_refused(
    make_config: MakeConfig, tmp_path: Path, key: str, name: str
) -> None:
    """Guarantee 10."""
    quoted = name.replace("\\", "\\\\")
    with refusal(SettingsError, f"{key}="):
        make_config(tmp_path, f'{key}="{quoted}"' if name.strip() else f"{key}='{name}'")


@pytest.mark.parametrize("message_id", [*HOSTILE_NAMES, "<script>", "é", "\ud800", "x" * 10_000, "CON", "a:b"])
def test_no_id_makes_a_file_name_that_leads_elsewhere(message_id: str) -> None:
    name = explanation_name(message_id)
    assert Path(name).name == name
    assert 0 < len(f"{name}.html".encode()) < 255
    assert not name.startswith((".", "~")) or len(name) > 10
