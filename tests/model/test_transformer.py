"""Fine-tuning with the real torch and transformers, where they are installed, on a model of 50,000 weights.

``uv sync --extra transformers`` (GPU), or
``uv pip install torch transformers accelerate --torch-backend=cpu`` (CPU).
"""

from __future__ import annotations

import copy
import io
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.naming import refusal

pytest.importorskip(
    "transformers",
    reason="needs transformers: uv sync --extra transformers (GPU), or "
    "uv pip install torch transformers accelerate --torch-backend=cpu",
)
pytest.importorskip("accelerate", reason="needs accelerate, and torch with it: see above")

from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline

from batch_nlp.errors import DataError, SettingsError
from batch_nlp.storage.model_file import dump_model, load_model
from batch_nlp.training.transformer import FineTunedTransformer

WORDS = (("awful", "rude", "dirty"), ("fine", "average", "okay"), ("great", "lovely", "perfect"))
FILLER = ("the", "food", "was", "and", "we", "had", "a", "table", "by", "window", "with", "waiter", ",", ".")
RECIPE: dict[str, Any] = {
    "epochs": 6, "learning_rate": 5e-3, "batch_size": 16, "max_tokens": 24, "validation_share": 0.2,
    "evaluations_per_epoch": 2, "patience": 12, "device": "cpu", "threads": 1, "random_state": 3,
}  # fmt: skip


def messages(rows: int, seed: int) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return texts of 3 to 40 words, one of which says the class, and scores that say it with much noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=rows)
    texts = []
    for label in labels:
        words = list(rng.choice(FILLER, rng.integers(3, 16)))
        words.insert(int(rng.integers(len(words))), str(rng.choice(WORDS[label])))
        texts.append(" ".join(words))
    scores = {f"ngram_score_{k}": (labels == k) + rng.normal(0, 1, rows) for k in range(3)}
    return pd.DataFrame({"text": texts, "word_count": [len(text.split()) for text in texts], **scores}), labels


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a BERT with random weights, two layers, 32 dimensions and 64 positions."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny_bert")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *FILLER, *np.ravel(WORDS).tolist()]
    (folder / "words.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab=str(folder / "words.txt"), model_max_length=64).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def fitted(tiny_bert: Path) -> FineTunedTransformer:
    return FineTunedTransformer(str(tiny_bert), **RECIPE).fit(*messages(400, 1))


def test_it_learns_what_the_words_say(fitted: FineTunedTransformer) -> None:
    rows, labels = messages(300, 2)
    probabilities = fitted.predict_proba(rows)
    assert f1_score(labels, fitted.predict(rows), average="macro") > 0.95
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert fitted.predict_proba(rows.iloc[:0]).shape == (0, 3)


def test_the_newest_rows_are_validation_rows_with_honest_probabilities(fitted: FineTunedTransformer) -> None:
    _, labels = messages(400, 1)
    np.testing.assert_array_equal(fitted.validation_rows_, np.arange(320, 400))
    found = fitted.validation_probabilities_
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert f1_score(labels[320:], found.argmax(axis=1), average="macro") > 0.9


def test_a_message_has_its_probabilities_in_any_batch(fitted: FineTunedTransformer) -> None:
    rows, _ = messages(100, 4)
    together = fitted.predict_proba(rows)
    np.testing.assert_allclose(fitted.predict_proba(rows.iloc[::-1])[::-1], together, atol=1e-5)
    for position in range(0, 100, 9):
        np.testing.assert_allclose(
            fitted.predict_proba(rows.iloc[[position]])[0], together[position], rtol=0, atol=1e-5
        )


def test_it_persists_and_predicts_the_same(fitted: FineTunedTransformer, tmp_path: Path) -> None:
    rows, _ = messages(50, 5)
    rows.loc[1, "text"] = ""
    dump_model(tmp_path / "model.skops", Pipeline([("training", fitted)]))
    loaded = load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_proba(rows), fitted.predict_proba(rows))
    assert (tmp_path / "model.skops").stat().st_size < 500_000

    # where it was trained leaves no trace
    assert b"tiny_bert" not in b"".join([fitted.weights_.tobytes(), fitted.model_config_.encode()])
    elsewhere = copy.deepcopy(fitted).set_params(checkpoint_dir=str(tmp_path))
    dump_model(tmp_path / "elsewhere.skops", Pipeline([("training", elsewhere)]))
    assert (tmp_path / "elsewhere.skops").read_bytes() == (tmp_path / "model.skops").read_bytes()


def state(model: FineTunedTransformer) -> bytes:
    return pickle.dumps([model.weights_, model.validation_probabilities_, model.stack_coef_, model.model_config_])


def test_equal_fits_give_equal_bytes_and_leave_the_generators_alone(
    fitted: FineTunedTransformer, tiny_bert: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import torch

    # NumPy's global generator, which transformers draws from, is the one that must be left alone
    np.random.seed(9)  # noqa: NPY002
    torch.manual_seed(9)
    expected = np.random.random(), float(torch.rand(1))  # noqa: NPY002
    np.random.seed(9)  # noqa: NPY002
    torch.manual_seed(9)
    again = FineTunedTransformer(str(tiny_bert), **RECIPE).fit(*messages(400, 1))
    assert (np.random.random(), float(torch.rand(1))) == expected  # noqa: NPY002
    assert state(again) == state(fitted)
    other = FineTunedTransformer(str(tiny_bert), **{**RECIPE, "epochs": 0.5, "random_state": 4})
    assert state(other.fit(*messages(400, 1))) != state(fitted)
    assert capfd.readouterr().out == ""


FIT = """
import pickle, sys
from tests.model.test_transformer import RECIPE, messages, state
from batch_nlp.training.transformer import FineTunedTransformer
model = FineTunedTransformer(sys.argv[1], **{**RECIPE, "checkpoint_dir": sys.argv[2]}).fit(*messages(400, 1))
model.discard_checkpoints()
sys.stdout.buffer.write(state(model))
"""


def test_a_killed_fit_goes_on_from_its_newest_whole_checkpoint_and_ends_as_if_nothing_had_been(
    fitted: FineTunedTransformer, tiny_bert: Path, tmp_path: Path
) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", FIT, str(tiny_bert), str(tmp_path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (whole := list(tmp_path.glob("*/checkpoint-*/complete.json"))) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    complete = {path.parent.name for path in tmp_path.glob("*/checkpoint-*/complete.json")}
    # killed while it wrote the next one: a folder without its mark
    torn = whole[0].parent.with_name("checkpoint-119")
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"global_step": 119')
    second = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert second.returncode == 0, second.stderr.decode()
    assert any(name in second.stderr.decode() for name in complete)
    assert second.stdout == state(fitted)
    assert list(tmp_path.iterdir()) == []


def test_a_fit_that_was_killed_after_it_had_stopped_early_ends_the_same(tiny_bert: Path, tmp_path: Path) -> None:
    settings = {**RECIPE, "epochs": 50, "patience": 1}
    expected = state(FineTunedTransformer(str(tiny_bert), **settings).fit(*messages(400, 1)))
    # killed before the checkpoints are removed
    FineTunedTransformer(str(tiny_bert), **settings, checkpoint_dir=str(tmp_path)).fit(*messages(400, 1))
    left = list(tmp_path.glob("*/*/complete.json"))
    assert 1 <= len(left) <= 2
    again = FineTunedTransformer(str(tiny_bert), **settings, checkpoint_dir=str(tmp_path)).fit(*messages(400, 1))
    assert state(again) == expected
    again.discard_checkpoints()
    assert list(tmp_path.iterdir()) == []


def test_it_stops_early_and_keeps_the_best_weights(tiny_bert: Path) -> None:
    from loguru import logger

    lines = io.StringIO()
    sink = logger.add(lines, format="{message}")
    rows, labels = messages(200, 6)
    settings = {**RECIPE, "epochs": 50, "patience": 2}
    model = FineTunedTransformer(str(tiny_bert), **settings, stack=False).fit(rows, labels)
    logger.remove(sink)
    evaluations = [line for line in lines.getvalue().splitlines() if "macro F1" in line and "step" in line]
    found = [float(line.split("macro F1 ")[1].split(",")[0]) for line in evaluations]
    *seen, best = found
    assert len(seen) < 50
    assert best == max(seen)
    assert seen.index(best) == len(seen) - 3
    predicted = model.validation_probabilities_.argmax(axis=1)
    assert f1_score(labels[160:], predicted, average="macro") == pytest.approx(best, abs=0.02)


def test_without_scores_the_stack_adapts_the_transformers_own_probabilities(tiny_bert: Path) -> None:
    rows, labels = messages(200, 7)
    model = FineTunedTransformer(str(tiny_bert), **{**RECIPE, "epochs": 1}).fit(rows[["text"]], labels)
    assert model.stack_coef_.shape == (3, 3)
    assert model.predict_proba(rows[["text"]]).shape == (200, 3)


def test_two_classes_and_weights(tiny_bert: Path) -> None:
    rows, labels = messages(200, 8)
    names = np.where(labels == 2, "good", "bad")
    settings = {**RECIPE, "epochs": 1}
    plain = FineTunedTransformer(str(tiny_bert), **settings).fit(rows, names)
    assert plain.classes_.tolist() == ["bad", "good"]
    assert plain.predict_proba(rows).shape == (200, 2)
    weights = np.where(names == "good", 50.0, 1.0)
    heavy = FineTunedTransformer(str(tiny_bert), **settings, stack=False).fit(rows, names, sample_weight=weights)
    assert (heavy.predict(rows) == "good").mean() > (plain.predict(rows) == "good").mean()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"model": "/no/such/folder"}, ["model=/no/such/folder"]),
        ({"max_tokens": 65}, ["max_tokens=65", 64]),
        ({"max_tokens": 2}, ["max_tokens=2", 3]),
        ({"device": "tpu"}, ["device=tpu", "cpu", "cuda"]),
        ({"patience": 0}, ["patience=0", 1]),
    ],
)
def test_a_wrong_parameter_is_told(tiny_bert: Path, settings: dict[str, Any], named: list[object]) -> None:
    model = FineTunedTransformer(**{"model": str(tiny_bert), **RECIPE, **settings})
    with refusal(SettingsError, *named):
        model.fit(*messages(60, 9))


def test_a_class_that_is_missing_from_the_validation_rows_is_named(tiny_bert: Path) -> None:
    rows, _ = messages(100, 10)
    labels = np.append(np.arange(80) % 3, np.repeat(2, 20))
    with refusal(DataError, 2, 20, 0, 1, "model.params.validation_share"):
        FineTunedTransformer(str(tiny_bert), **RECIPE).fit(rows, labels)
