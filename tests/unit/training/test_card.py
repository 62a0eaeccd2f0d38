from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pytest
from tests.naming import assert_names, names
from tests.unit.training.runs import measured

from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.hierarchy import Leaves
from batch_nlp.metrics.bootstrap import with_intervals
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.registry import Registry
from batch_nlp.training.card import card_facts
from batch_nlp.training.card.card_pages import card_pages
from batch_nlp.training.card.statements import card_headline, decision_in_words, statements
from batch_nlp.training.slices import slice_metrics
from batch_nlp.training.validation import Validation


class World(Protocol):
    layers: Layers
    registry: Registry


@pytest.fixture(scope="module")
def facts(world: World) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((world.layers.reporting / "training" / "run-1.json").read_text())
    card: dict[str, Any] = report["card"]
    return card


def test_slices_hold_every_message_once_and_small_ones_are_marked() -> None:
    rows = pd.DataFrame(
        {
            "category_group": ["cafe"] * 40 + [None] * 10,
            "word_count": [25.0, 26.0, 1000.0, 0.0, 200.0] * 10,
            "written_at": pd.to_datetime(["2021-12-31"] * 30 + ["2022-01-01"] * 20, utc=True),
        }
    )
    truth = np.array([0, 1] * 25)
    predicted = np.r_[truth[:40], 1 - truth[40:]]
    found = slice_metrics(measured(truth, predicted, rows=rows), seed=1)
    cafe, unknown = found["category_group"]
    assert (cafe["name"], cafe["messages"], cafe["small"], cafe["f1_macro"]["low"]) == ("cafe", 40, False, 1.0)
    assert (unknown["messages"], unknown["small"]) == (10, True)
    assert unknown["accuracy"] == {"value": 0.0, "low": None, "high": None}
    assert {part["name"]: part["messages"] for part in found["length"]} == {
        "up to 25 words": 20, "26 to 50 words": 10, "101 to 200 words": 10, "over 200 words": 10,
    }  # fmt: skip
    assert [part["name"] for part in found["year"]] == ["2021", "2022"]


def test_slices_are_of_three_categories_and_their_ten_largest_values() -> None:
    """Values a to l, value number i in i + 1 messages, so that a and b are the smallest of twelve."""
    values = [letter for i, letter in enumerate("abcdefghijkl") for _ in range(i + 1)]
    n = len(values)
    rows = pd.DataFrame(
        {
            **dict.fromkeys(("shop", "city", "channel", "tariff"), values),
            "written_at": pd.to_datetime([None, *["2022-01-01"] * (n - 1)], utc=True),
        }
    )
    fields = Fields(Field(name, FieldRole.CATEGORY) for name in ("shop", "city", "channel", "tariff"))
    one = np.zeros(n, np.int64)
    found = slice_metrics(measured(one, one, fields, rows=rows), seed=1)
    assert list(found) == ["shop", "city", "channel", "year"]
    assert [part["name"] for part in found["shop"]] == [*"lkjihgfedc", "all others"]
    assert [part["messages"] for part in found["shop"]] == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 3]
    assert {part["name"]: part["messages"] for part in found["year"]} == {"2022": n - 1, "not known": 1}


def test_without_categories_counts_and_times_there_are_no_slices() -> None:
    rows = pd.DataFrame({"written_at": pd.to_datetime([None, None], utc=True)})
    assert slice_metrics(measured(np.array([0, 1]), np.array([0, 1]), Fields(), rows=rows), seed=1) == {}


def test_the_card_goes_with_the_model_and_says_what_was_measured(world: World, facts: dict[str, Any]) -> None:
    folder = world.registry.root / "v0001"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"model_card.md", "model_card.html"} <= set(manifest["files"])
    for name in ("model_card.md", "model_card.html"):
        card = (folder / name).read_text()
        found = facts["quality"]["f1_macro"]
        assert found["value"] == pytest.approx(manifest["metrics"]["f1_macro"])
        for fact in (f"{found['value']:.3f}", f"{found['low']:.3f}", f"{manifest['training_rows']:,}", "xgboost"):
            assert fact in card
        assert "sample (generated)" in card
        assert manifest["data_version"]["feature_version"] in card
        assert facts["words"][2][0]["term"] in card
        assert all(
            check["name"].replace("_", "") in card.replace("\\", "").replace("_", "") for check in manifest["gate"]
        )


def test_neither_card_nor_facts_hold_a_message(world: World, messages: pd.DataFrame) -> None:
    folder = world.registry.root / "v0001"
    pages = [(folder / name).read_text() for name in ("model_card.md", "model_card.html", "manifest.json")]
    pages.append((world.layers.reporting / "training" / "run-1.json").read_text())
    for text in messages["text"]:
        start = " ".join(text.split())[:40]
        assert not any(len(start) == 40 and start in page for page in pages)
    for message_id in messages["message_id"]:
        assert not any(message_id in page for page in pages)


def test_the_same_facts_give_the_same_bytes(world: World, facts: dict[str, Any]) -> None:
    """Those of the folder came from the facts before they were written and read: nothing hangs on the process."""
    for name, page in card_pages(facts).items():
        assert page == (world.registry.root / "v0001" / name).read_text(), name


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "use", "path", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "use", "path", "rect"):
            assert self.open.pop() == tag


def test_hostile_names_stay_names(facts: dict[str, Any]) -> None:
    hostile = copy.deepcopy(facts)
    attack = "<script>alert(1)</script>\"'|$x_{1}$\n# heading"
    hostile["classes"][0] = hostile["data"]["dataset"] = hostile["gate"]["champion"] = attack
    hostile["slices"]["category_group"][0]["name"] = attack
    hostile["importance"]["groups"][0]["name"] = hostile["words"][0][0]["term"] = attack
    hostile["statements"] = statements(hostile)
    hostile["decision"] = decision_in_words(hostile)
    pages = card_pages(hostile)
    assert all("<script" not in page for page in pages.values())
    assert "\n# heading" not in pages["model_card.md"]
    for line in pages["model_card.md"].splitlines():
        if line.startswith("| **"):
            assert len(re.findall(r"(?<!\\)\|", line)) == len(facts["classes"]) + 2
    tags = Tags()
    tags.feed(pages["model_card.html"])
    assert not tags.open
    assert "script" not in tags.seen


def test_the_page_needs_nothing_else_and_its_figures_have_words(facts: dict[str, Any]) -> None:
    page = card_pages(facts)["model_card.html"]
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(figures) == 4
    names = []
    for figure in figures:
        root = ET.fromstring(figure)  # noqa: S314 our own
        assert len(root.attrib["aria-label"]) > 30
        names += [part.attrib["id"] for part in root.iter() if "id" in part.attrib]
    assert len(names) == len(set(names))
    assert not re.search(r"(src|href)=[\"'](?!#)", page)
    assert "url(http" not in page


def test_a_card_begins_with_task_quality_and_use_in_words(facts: dict[str, Any]) -> None:
    task, quality, _ = card_headline(facts)
    assert_names(task, "sample", *facts["classes"])
    accuracy, f1 = facts["quality"]["accuracy"]["value"], facts["quality"]["f1_macro"]
    assert_names(quality, f"{accuracy:.0%}", facts["data"]["holdout"]["rows"], f"{f1['value']:.3f}", f"{f1['low']:.3f}")
    assert_names(card_headline(facts | {"classes": [f"topic {index}" for index in range(10)]})[0], 10, "topic 0")
    page = card_pages(facts)["model_card.html"]
    assert page.index(task) < page.index("<table")


def test_a_model_without_ngrams_or_gate_says_so(facts: dict[str, Any]) -> None:
    plain = {**facts, "words": None, "gate": {"checks": None, "champion": None}}
    for page in card_pages(plain).values():
        assert "n-gram" in page
        assert not names(page, "lower bound"), "no check of a gate"


def test_sentences_follow_from_the_figures(facts: dict[str, Any]) -> None:
    changed = copy.deepcopy(facts)
    changed["classes"] = ["bad", "so-so", "good"]
    changed["confusion"] = [[90, 5, 5], [30, 50, 20], [10, 0, 790]]
    changed["quality"] = with_intervals(np.array(changed["confusion"]), 1)
    changed["data"]["holdout"]["rows"] = 1000
    changed["errors"] |= {
        "mistakes": 70,
        "confident_predictions": 700,
        "confident_mistakes": 14,
        "doubtful_mistakes": 21,
    }
    changed["decision_weights"] = [1.0, 2.0, 1.0]
    changed["data"]["train"]["shares"] = [0.1, 0.1, 0.8]
    changed["ordinal"] = {"quadratic_kappa": 0.8124, "mean_absolute_error": 0.1379}
    found = " ".join(statements(changed))
    assert_names(found, "so-so", "0.645", 50, 100, 30, "bad")
    assert_names(found, "0.812", "0.138")
    assert_names(found, 70, 1000, "7.0%", 14, "2.0%", 700, 21, "30.0%")
    assert any(
        all(names(sentence, part) for part in ("so-so", "2.00", "good", "0.50"))
        for sentence in decision_in_words(changed)
    )
    assert any("f1_macro" in sentence for sentence in decision_in_words(changed))
    changed["training"]["decision"]["metric"] = "shares"
    assert not any("f1_macro" in sentence for sentence in decision_in_words(changed))
    changed["decision_weights"] = [1.0, 1.0, 1.0]
    assert len(decision_in_words(changed)) == 1


def test_of_many_classes_the_largest_and_the_worst_are_named_and_parents_sum_them_up(facts: dict[str, Any]) -> None:
    """60 classes in 2 parents; class 0 is the smallest, and of class 7 no message is found."""
    k = 60
    classes = Leaves(f"{'ab'[index % 2]} / topic {index:02d}" for index in range(k))
    confusion = np.diag(np.arange(10, 10 + k))
    confusion[7] = 0
    confusion[7, 8], confusion[7, 9] = 9, 8
    validation = Validation(classes, confusion)
    parents = card_facts._parents(validation, 1)
    assert parents
    # of parent b, the 9 messages of class 7 that are taken for class 8 alone are taken for parent a
    (first, second), total = parents["rows"], int(confusion[1::2].sum())
    assert [first["name"], second["name"], parents["number"]] == ["a", "b", 2]
    assert (second["messages"], second["recall"]["value"]) == (total, pytest.approx(1 - 9 / total))
    assert card_facts._confusions(validation) == [
        {"true": classes[7], "predicted": classes[8], "messages": 9, "share": 9 / 17},
        {"true": classes[7], "predicted": classes[9], "messages": 8, "share": 8 / 17},
    ]
    quality = with_intervals(confusion, 1)
    shown = card_facts._shown(confusion.sum(axis=1), quality["f1"])
    assert {7, *range(50, 60)} <= set(shown)
    assert len(shown) <= 20
    shares = (np.ones(k) / k).tolist()
    many = copy.deepcopy(facts) | {
        "classes": classes, "shown": shown, "matrix": False, "confusions": card_facts._confusions(validation),
        "parents": parents, "quality": quality, "confusion": confusion.tolist(),
        "decision_weights": [1.0 + index / 100 for index in range(k)], "words": facts["words"][:1] * k,
    }  # fmt: skip
    many["data"]["train"]["shares"] = many["data"]["holdout"]["shares"] = many["data"]["predicted_shares"] = shares
    many["decision"], many["statements"] = decision_in_words(many), statements(many)
    for page in card_pages(many).values():
        assert "topic 07" in page
        assert "topic 59" in page
        assert "topic 31" not in page
        assert_names(page, k)
        assert f"{8 / 17:.1%}" in page, "what is taken for what"
    assert len(many["decision"]) <= 8


def test_classes_without_levels_have_no_parents() -> None:
    classes = ["bad", "good"]
    assert card_facts._parents(Validation(classes, np.eye(2, dtype=np.int64)), 1) is None


def test_what_the_card_says_of_split_sources_and_refit(facts: dict[str, Any]) -> None:
    said = " ".join(statements(facts))
    assert not names(said, "rules")
    changed = copy.deepcopy(facts) | {
        "split": {"by": "random", "left_out_copies": 12, "repeated_texts": 250},
        "label_sources": {"given": 900, "rules": 60},
        "refit": {"done": True, "rows": 1160},
    }
    changed["data"]["train"]["rows"], changed["data"]["holdout"]["rows"] = 960, 188
    for part in ("train", "holdout"):
        changed["data"][part] |= {"from": None, "to": None}
    changed["statements"] = statements(changed)
    said = " ".join(changed["statements"])
    assert_names(said, 250, 1160, "21.6%", 12, 900, 60, "rules")
    assert len(changed["statements"]) > len(statements({**changed, "refit": facts["refit"]})), "one of the new fit"
    for page in card_pages(changed).values():
        assert_names(page, "rules")
        assert "None" not in page
