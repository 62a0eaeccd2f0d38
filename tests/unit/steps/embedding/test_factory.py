from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import EmbeddingBackend, EmbeddingConfig
from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.factory import create_embedder, fingerprint

STATIC = default(EmbeddingConfig)
MINILM = default(EmbeddingConfig, backend=EmbeddingBackend.minilm)
NONE = default(EmbeddingConfig, backend=EmbeddingBackend.none)
OTHER = default(EmbeddingConfig, backend=EmbeddingBackend.sentence_transformers, model="owner/name")


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (STATIC, {"backend": EmbeddingBackend.minilm}),
        (STATIC, {"backend": EmbeddingBackend.none}),
        (STATIC, {"dims": 128}),
        (STATIC, {"max_tokens": 128}),
        (STATIC, {"model": "owner/name"}),
        (MINILM, {"max_tokens": 128}),
        (MINILM, {"backend": EmbeddingBackend.sentence_transformers}),
        (OTHER, {"model": "owner/other"}),
        (OTHER, {"model": "owner/name@revision"}),
        (OTHER, {"model": None}),
    ],
)
def test_what_changes_the_vectors_changes_the_fingerprint(settings: EmbeddingConfig, changes: dict[str, Any]) -> None:
    assert fingerprint(replace(settings, **changes)) != fingerprint(settings)


@pytest.mark.parametrize("settings", [STATIC, MINILM, OTHER, NONE])
def test_how_the_work_is_done_does_not_change_the_fingerprint(settings: EmbeddingConfig) -> None:
    assert fingerprint(replace(settings, batch_size=8, device="cpu")) == fingerprint(settings)


def test_versions_of_the_features_outlive_releases() -> None:
    assert fingerprint(STATIC) == "static-53aa51172d142c89-recipe1-dims256-tokens256"
    assert fingerprint(MINILM) == "minilm-53aa51172d142c89-tokens256"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (replace(STATIC, model="./no/such/folder"), ["./no/such/folder"]),
        (replace(OTHER, model="/no/such/folder"), ["/no/such/folder"]),
    ],
)
def test_settings_that_cannot_be_satisfied_are_refused(
    settings: EmbeddingConfig, words: list[str], tmp_path: Path
) -> None:
    with refusal(SettingsError, *words):
        fingerprint(settings)
    with refusal(SettingsError, *words):
        create_embedder(settings, tmp_path)


def test_a_missing_extra_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with refusal(SettingsError, "uv sync --extra sentence-transformers", "--torch-backend=cpu"):
        create_embedder(OTHER, tmp_path)
