from __future__ import annotations

from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.storage.layers import Layers
from batch_nlp.training.class_words import ClassWords
from batch_nlp.training.errors_report import ErrorAnalysis, find_label_errors, write_error_report
from batch_nlp.training.ngram_scores import NgramScores


class World(Protocol):
    layers: Layers


def test_confident_learning_as_worked_out_by_hand() -> None:
    """Thresholds: (0.9 + 0.7 + 0.2) / 3 = 0.6 for class 0, (0.9 + 0.8 + 0.4) / 3 = 0.7 for class 1."""
    of_class_0 = np.array([0.9, 0.7, 0.2, 0.1, 0.6, 0.35])
    probabilities = np.stack([of_class_0, 1 - of_class_0], axis=1)
    given = np.array([0, 0, 0, 1, 1, 1])
    probabilities[4:] = [[0.2, 0.8], [0.6, 0.4]]
    suspects, share = find_label_errors(probabilities, given)
    # the third message was given 0 and is confidently 1, the sixth the other way round: 2 of 3 per class are right
    assert suspects["suggested"].to_dict() == {2: 1, 5: 0}
    assert suspects["margin"].tolist() == pytest.approx([0.6, 0.2])
    assert share == pytest.approx(1 / 3)


def test_a_message_that_reaches_no_threshold_is_no_suspect() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.55, 0.45], [0.1, 0.9], [0.1, 0.9], [0.45, 0.55]])
    suspects, share = find_label_errors(probabilities, np.array([0, 0, 1, 1, 1, 0]))
    assert suspects.empty
    assert share == 0


def test_words_speak_for_the_class_that_they_are_frequent_in() -> None:
    texts = ["nice food", "nice place", "nice", "awful food", "awful place", "awful"] * 4
    labels = [1, 1, 1, 0, 0, 0] * 4
    scores = NgramScores(max_n=1, min_df=2, sentences=False).fit(pd.DataFrame({"text": texts}), labels)
    words = ClassWords(scores)
    bad, good = words.of_classes(texts, 1)
    assert (bad[0]["term"], good[0]["term"], good[0]["share"]) == ("awful", "nice", 0.5)
    both = ["awful food, nice place", "unheard"]
    assert words.between(both, np.array([0, 0]), np.array([1, 1]), 1) == [["awful"], []]
    assert words.between(both, np.array([1, 1]), np.array([0, 0]), 1)[0] == ["nice"]


HOSTILE = "<script>alert('x')</script> & \"<b>\" " + "long " * 200


@pytest.fixture
def candidate() -> Any:
    """Return what the analysis reads of a candidate: four messages, the two in the middle misread."""
    rows = pd.DataFrame(
        {
            "message_id": ["a", "<i>b", "c", "d"],
            "text": ["fine", HOSTILE, "well", "bad"],
            "shop": ["a", "<b>", "a", None],
            "city": ["x", "y", None, None],
        }
    )
    probabilities = np.array([[0.1, 0.9], [0.05, 0.95], [0.4, 0.6], [0.8, 0.2]])
    encoding = SimpleNamespace(named_transformers_={})
    return SimpleNamespace(
        classes=["no", "<yes>"],
        fields=Fields([Field("shop", FieldRole.CATEGORY), Field("city", FieldRole.CATEGORY)]),
        rows=rows,
        truth=np.array([1, 0, 0, 0]),
        predicted=np.array([1, 1, 1, 0]),
        probabilities=probabilities,
        pipeline=SimpleNamespace(
            named_steps={"encoding": encoding}, steps=[("training", SimpleNamespace(estimator_=None))]
        ),
    )


def test_the_surest_mistakes_come_first_and_hostile_texts_stay_text(tmp_path: Path, candidate: Any) -> None:
    analysis = ErrorAnalysis(candidate)
    folder = write_error_report(analysis, Layers(tmp_path, "mails"), "run-1")
    assert folder == tmp_path / "08_reporting" / "training" / "run-1"
    table = pq.read_table(folder / "mistakes.parquet").to_pandas()
    assert table["message_id"].tolist() == ["<i>b", "c"]
    assert table["confidence"].tolist() == [0.95, 0.6]
    assert table[["true", "predicted"]].iloc[0].tolist() == ["no", "<yes>"]
    assert table["categories"].tolist() == ["<b> · y", "a"]
    assert table["word_count"].tolist() == [203, 1]
    assert len(table["text"][0]) == 501
    for name in ("mistakes.html", "label_errors.html"):
        page = (folder / name).read_text()
        assert not any(tag in page for tag in ("<script", "<i>b", "<yes>", "<b>", "nan<"))
        assert "07_model_output/mails/run-1.parquet" in page
    assert HOSTILE[:500] in unescape((folder / "mistakes.html").read_text())
    counts = {"mistakes": 2, "doubtful_mistakes": 1, "confident_predictions": 1, "confident_mistakes": 1}
    assert {name: analysis.facts()[name] for name in counts} == counts


def test_a_training_leaves_its_mistakes_in_the_reports_with_words(world: World) -> None:
    folder = world.layers.reporting / "training" / "run-1"
    table = pq.read_table(folder / "mistakes.parquet").to_pandas()
    outputs = pq.read_table(world.layers.model_output / "run-1.parquet").to_pandas().set_index("message_id")
    assert len(table)
    assert table["confidence"].is_monotonic_decreasing
    names = np.array(["negative", "neutral", "positive"])
    assert names[outputs.loc[table["message_id"], "label"]].tolist() == table["true"].tolist()
    assert (table["true"] != table["predicted"]).all()
    assert table["words"].str.len().gt(0).mean() > 0.8
    assert sorted(path.name for path in folder.iterdir()) == [
        "label_errors.html", "label_errors.parquet", "mistakes.html", "mistakes.parquet",
    ]  # fmt: skip
