"""A pretrained model is data: code and pickles in its folder are left alone. Needs torch and transformers."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
from tests.naming import refusal

pytest.importorskip("torch", reason="needs torch: uv sync --extra transformers")
pytest.importorskip("transformers", reason="needs transformers: uv sync --extra transformers")

from batch_nlp.errors import SettingsError
from batch_nlp.storage.packaged_model import packaged_folder
from batch_nlp.training.transformer.network import load_network


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a model's folder without its weights."""
    leave = shutil.ignore_patterns("*.safetensors", "*.onnx", "onnx", "openvino")
    return Path(shutil.copytree(packaged_folder(), tmp_path / "model", ignore=leave))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_weights_that_are_a_pickle_are_refused_and_run_nothing(folder: Path, tmp_path: Path, name: str) -> None:
    """Guarantee 21."""
    (folder / name).write_bytes(pickle.dumps(Trap(tmp_path / "mark")))
    with refusal(SettingsError, f"model.params.model={folder}"):
        load_network(str(folder), 2, 64)
    assert not (tmp_path / "mark").exists()


def test_code_beside_the_weights_is_not_imported(folder: Path, tmp_path: Path) -> None:
    """Guarantee 21."""
    (folder / "evil.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'mark')!r}).touch()\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModelForSequenceClassification": "evil.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    with refusal(SettingsError, f"model.params.model={folder}"):
        load_network(str(folder), 2, 64)
    assert not (tmp_path / "mark").exists()


def test_a_gpu_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from batch_nlp.training.transformer.network import find_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with refusal(SettingsError, "model.params.device=null"):
        find_device("cuda")
