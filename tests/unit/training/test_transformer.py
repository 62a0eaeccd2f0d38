"""What the transformer needs no torch for: tokens, the order of rows, checkpoints, the stack, and what is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from tests.naming import refusal
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from batch_nlp.config import Config
from batch_nlp.errors import SettingsError
from batch_nlp.training.classifier import build_classifier
from batch_nlp.training.transformer import FineTunedTransformer
from batch_nlp.training.transformer.checkpoints import COMPLETE, complete, fit_fingerprint, keep, newest_complete
from batch_nlp.training.transformer.stack import fit_stack
from batch_nlp.training.transformer.tokens import TokenReader, order_of_epoch

# "a" is token 10, "b" 11, ... ; [CLS] is 1, [SEP] is 2
LETTERS = {letter: number for number, letter in enumerate("abcdefghij", start=10)}


def tokenizer() -> str:
    words = Tokenizer(WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, **LETTERS}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    words.enable_truncation(3)  # as a file may say; the reader has limits of its own
    words.enable_padding()
    return words.to_str()


@pytest.mark.parametrize(
    ("max_tokens", "head_share", "expected"),
    [
        (12, 0.5, [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 2]),
        (8, 0.5, [1, 10, 11, 12, 17, 18, 19, 2]),
        (7, 0.4, [1, 10, 11, 17, 18, 19, 2]),
        (6, 0.25, [1, 10, 17, 18, 19, 2]),
        (6, 1.0, [1, 10, 11, 12, 13, 2]),
        (6, 0.0, [1, 16, 17, 18, 19, 2]),
        (3, 1.0, [1, 10, 2]),
    ],
)
def test_a_long_text_keeps_its_head_and_its_tail(max_tokens: int, head_share: float, expected: list[int]) -> None:
    (ids,) = TokenReader(tokenizer(), max_tokens, head_share).read(["a b c d e f g h i j"])
    assert ids.tolist() == expected


def test_short_empty_and_strange_texts_are_read() -> None:
    found = TokenReader(tokenizer(), 6, 0.5).read(["a b c d", "", "a \ud800 b"])
    assert [ids.tolist() for ids in found] == [[1, 10, 11, 12, 13, 2], [1, 2], [1, 10, 0, 11, 2]]


def test_no_room_for_a_text_is_told() -> None:
    with refusal(SettingsError, "model.params.max_tokens=2", 3):
        TokenReader(tokenizer(), 2, 0.5)


def test_an_epoch_sees_every_row_once_in_batches_of_like_length_and_in_an_order_of_its_own() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 1003).tolist()
    order = order_of_epoch(lengths, 16, seed=1, epoch=0)
    assert sorted(order) == list(range(1003))
    np.testing.assert_array_equal(order, order_of_epoch(lengths, 16, seed=1, epoch=0))
    padded = sum(16 * max(lengths[row] for row in order[start : start + 16]) for start in range(0, 1003, 16))
    assert padded < 1.15 * sum(lengths)
    batches = [
        {frozenset(other[start : start + 16].tolist()) for start in range(0, 1003, 16)}
        for other in (order, order_of_epoch(lengths, 16, 1, 1), order_of_epoch(lengths, 16, 2, 0))
    ]
    assert not batches[0] & batches[1]
    assert not batches[0] & batches[2]


@pytest.mark.parametrize("rows", [1, 5, 16, 17])
def test_a_few_rows_have_an_order_too(rows: int) -> None:
    assert sorted(order_of_epoch([3] * rows, 16, 0, 0)) == list(range(rows))


def test_a_fingerprint_tells_fits_apart() -> None:
    settings, labels = {"epochs": 3, "seed": 1}, np.array([0, 1])
    same = fit_fingerprint(settings, ["ab", "c"], labels)
    assert same == fit_fingerprint({"seed": 1, "epochs": 3}, iter(["ab", "c"]), labels.copy())
    others = [
        fit_fingerprint({"epochs": 4, "seed": 1}, ["ab", "c"], labels),
        fit_fingerprint(settings, ["a", "bc"], labels),
        fit_fingerprint(settings, ["c", "ab"], labels),
        fit_fingerprint(settings, ["ab", "c"], labels[::-1]),
        fit_fingerprint(settings, ["ab", "\ud800"], labels),
        fit_fingerprint(settings, ["ab", "c"], labels, b"weights"),
    ]
    assert len({same, *others}) == 7


def make_checkpoints(folder: Path, *steps: int) -> None:
    for step in steps:
        checkpoint = folder / f"checkpoint-{step}"
        checkpoint.mkdir()
        (checkpoint / "weights").write_bytes(b"w")
        complete(checkpoint)


def test_a_fit_goes_on_from_the_newest_whole_checkpoint_and_torn_ones_go(tmp_path: Path) -> None:
    assert newest_complete(tmp_path) is None
    make_checkpoints(tmp_path, 90, 100, 110)
    (tmp_path / "checkpoint-110" / COMPLETE).unlink()
    assert newest_complete(tmp_path) == tmp_path / "checkpoint-100"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-100", "checkpoint-90"]


@pytest.mark.parametrize(
    ("best", "left"), [(None, {"8", "10"}), ("2", {"2", "10"}), ("10", {"8", "10"}), ("8", {"8", "10"})]
)
def test_the_newest_and_the_best_checkpoint_are_kept(tmp_path: Path, best: str | None, left: set[str]) -> None:
    make_checkpoints(tmp_path, 2, 4, 8, 10)
    keep(tmp_path, tmp_path / f"checkpoint-{best}" if best else None)
    assert {path.name.removeprefix("checkpoint-") for path in tmp_path.iterdir()} == left


@pytest.mark.parametrize("classes", [2, 3])
def test_the_stack_takes_what_helps_from_both(classes: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=600)
    truth = np.eye(classes)[labels]
    features = np.hstack([truth + rng.normal(0, 1, truth.shape) for _ in range(2)])
    coef, intercept, probabilities = fit_stack(features[:400], labels[:400], 0)
    found = features[400:] @ coef.T + intercept
    stacked = (found.argmax(axis=1) == labels[400:]).mean()
    alone = max((features[400:, part].argmax(axis=1) == labels[400:]).mean()
                for part in (slice(classes), slice(classes, None)))  # fmt: skip
    assert stacked > alone + 0.03
    honest = (probabilities.argmax(axis=1) == labels[:400]).mean()
    assert honest == pytest.approx(stacked, abs=0.06)


def test_a_missing_extra_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with refusal(SettingsError, "model=transformer", "uv sync --extra transformers"):
        FineTunedTransformer().fit(pd.DataFrame({"text": ["a", "b"] * 20}), [0, 1] * 20)


def test_it_can_be_cloned_with_its_parameters() -> None:
    model = FineTunedTransformer("some/model", epochs=1.5, checkpoint_dir="checkpoints")
    assert clone(model).get_params() == model.get_params()


def test_the_settings_build_it_with_the_seed_and_the_threads(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config = make_config(tmp_path, "model=transformer", "seed=7", "engine.threads=2", "model.params.epochs=1")
    model = build_classifier(config, checkpoints=tmp_path / "checkpoints").estimator
    assert type(model) is FineTunedTransformer
    assert (model.random_state, model.threads, model.epochs) == (7, 2, 1)
    assert model.checkpoint_dir == str(tmp_path / "checkpoints")
    with refusal(SettingsError, "batch_nlp.training.transformer.Other"):
        build_classifier(make_config(tmp_path, "model.estimator=batch_nlp.training.transformer.Other"))
