"""Messages as a dataset's file says that they are found, through the real feature pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.naming import assert_names, names, refusal
from tests.raw_source import RawSource

from batch_nlp.config import Config
from batch_nlp.dataset.message_reader import message_files, read_messages
from batch_nlp.errors import DataError
from batch_nlp.feature.definition import FeatureDefinition

# a source of an id, a text and a label, without vectors: of what is looked at here they are no part
PLAIN = (
    "dataset.messages.files='*'",
    "dataset.side_tables=[]",
    "dataset.steps=[]",
    "~dataset.messages.columns.user_id",
    "~dataset.messages.columns.business_id",
    "~dataset.messages.columns.date",
    "dataset.split.by=random",
    "features=none",
    "training.inputs=[tabular]",
)


class Source(RawSource):
    """A folder of raw files, and the feature pipeline on it."""

    def run(self) -> dict[str, int]:
        """Return the accounts of a run of the feature pipeline, without those that are zero."""
        result = self.take_in()
        assert result.accounts["read"] == sum(result.accounts.values()) - result.accounts["read"]
        return {name: number for name, number in {**result.accounts, "labels": result.labels}.items() if number}

    def labels(self) -> dict[str, str]:
        """Return the labels of the messages that are there."""
        version = FeatureDefinition.from_config(self.config).version
        try:
            frame = self.store.labelled(self.store.data_version(version))
        except DataError:  # there are none yet
            return {}
        return dict(zip(frame["message_id"], frame["target"], strict=True))

    def quarantined(self) -> list[tuple[str, str, int]]:
        file = self.layers.feature_quarantine / f"run-{self.runs}.parquet"
        rows = pq.read_table(file).to_pylist()
        return sorted((row["reason"], row["source_file"], row["source_line"]) for row in rows)


@pytest.fixture
def source(tmp_path: Path, make_config: Callable[..., Config]) -> Callable[..., Source]:
    return lambda *overrides: Source(make_config(tmp_path, *PLAIN, *overrides))


def message(name: str, **more: Any) -> dict[str, Any]:
    return {"review_id": name, "text": f"text of {name}", **more}


def test_rows_that_lie_under_a_field_are_read_there_and_others_as_they_are(source: Callable[..., Source]) -> None:
    desk = source("dataset.messages.rows=_source")
    desk.drop(
        "a.json",
        {"_index": 1, "_source": message("a", stars=1)},
        message("b", stars=5),
        {"_source": "no object", **message("c", stars=3)},
        {"_source": {"review_id": "d"}, "text": "not of this row"},
    )
    assert desk.run() == {"read": 4, "done": 3, "quarantined": 1, "labels": 3}
    assert desk.labels() == {"a": "1", "b": "5", "c": "3"}
    assert desk.quarantined() == [("text is missing", "a.json", 4)]


def test_labels_may_come_after_their_messages(source: Callable[..., Source]) -> None:
    desk = source()
    desk.drop("a.json", message("a"), message("b"), message("c"))
    assert desk.run() == {"read": 3, "done": 3}
    assert desk.labels() == {}
    desk.drop("b.csv", "review_id,stars\na,5\nb,1.0\n")
    assert desk.run() == {"read": 2, "labels_alone": 2, "labels": 2}
    assert desk.labels() == {"a": "5", "b": "1"}
    # what was read before is no news
    assert desk.run() == {}
    desk.drop("c.csv", "review_id,stars\na,5\nb,1\n")
    assert desk.run() == {"read": 2, "labels_alone": 2}
    desk.drop("d.json", {"review_id": "b", "stars": 2}, {"review_id": "c", "stars": 4})
    assert desk.run() == {"read": 2, "labels_alone": 2, "labels": 2}
    assert desk.labels() == {"a": "5", "b": "2", "c": "4"}


def test_labels_may_come_before_their_messages_and_with_those_of_others(
    source: Callable[..., Source], warnings: list[str]
) -> None:
    desk = source()
    desk.drop("labels.csv", "review_id,stars\n1,5\n2,1\n")
    assert desk.run() == {"read": 2, "labels_alone": 2, "labels": 2}
    assert desk.labels() == {}
    assert len(warnings) == 1
    assert_names(warnings.pop(), 2, "1, 2")
    desk.drop("a.json", message("1.0"), message("3"))
    desk.drop("more.csv", "stars,review_id\n4,3\n")
    assert desk.run() == {"read": 3, "done": 2, "labels_alone": 1, "labels": 1}
    assert desk.labels() == {"1": "5", "3": "4"}
    assert len(warnings) == 1, "only that a.json brings no labels"
    assert_names(warnings[0], "a.json", "stars")


def test_labels_that_cannot_be_read_are_in_quarantine(source: Callable[..., Source], warnings: list[str]) -> None:
    desk = source()
    desk.drop("a.json", message("a"))
    desk.drop(
        "labels.json",
        {"review_id": "a", "stars": 5},
        {"review_id": None, "stars": 5},
        {"review_id": ["a"], "stars": 5},
        {"review_id": "a", "stars": None},
        {"review_id": "a", "stars": {}},
        {"review_id": "a", "stars": 9, "annotator": "anna"},
        "broken\n",
    )
    assert desk.run() == {"read": 8, "done": 1, "quarantined": 6, "labels_alone": 1, "labels": 1}
    assert [(reason.split()[0], line) for reason, _, line in desk.quarantined()] == [
        ("broken", 7),
        ("label", 4),
        ("label", 5),
        ("message_id", 2),
        ("message_id", 3),
        ("target", 6),
    ]
    assert desk.labels() == {"a": "5"}
    assert any(names(line, "annotator") for line in warnings)


def test_labels_are_of_the_first_id_that_is_there_and_no_longer_than_those_of_messages(
    source: Callable[..., Source],
) -> None:
    desk = source("+dataset.messages.columns.id={role: id}", "dataset.label.classes=auto")
    desk.drop("a.json", message("a"), message("", id="b"))
    desk.drop(
        "labels.json",
        {"review_id": "a", "id": "b", "stars": "x" * 256},
        {"review_id": "", "id": "b", "stars": "fine"},
        {"review_id": "", "id": "", "stars": "fine"},
        {"review_id": "a", "stars": "x" * 257},
    )
    assert desk.run() == {"read": 6, "done": 2, "quarantined": 2, "labels_alone": 2, "labels": 2}
    (long, *where), (missing, *there) = desk.quarantined()
    assert_names(long, "label", 256)
    assert_names(missing, "message_id")
    assert (where, there) == (["labels.json", 4], ["labels.json", 3])
    assert desk.labels() == {"a": "x" * 256, "b": "fine"}


def test_a_dataset_whose_texts_have_another_name_now_is_no_file_of_labels(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    """Guarantee 17."""
    desk = Source(make_config(tmp_path))
    desk.drop("review.json", {"review_id": "a", "stars": 3, "body": "fine", "date": "2020-01-01"})
    with refusal(DataError, "review.json", "text"):
        desk.run()


def test_rows_that_are_left_out_are_counted(source: Callable[..., Source]) -> None:
    """Guarantee 5."""
    desk = source("dataset.messages.where=\"inbound = 'true'\"")
    desk.drop(
        "a.json",
        message("a", inbound=True),
        message("b", inbound=False),
        message("a", inbound=True),
        message("c"),
        message("d", inbound="true", stars=11),
        "broken\n",
    )
    assert desk.run() == {"read": 6, "done": 1, "duplicates": 1, "quarantined": 2, "left_out": 2}


def test_a_file_whose_name_fits_messages_and_a_side_table_holds_messages(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    desk = Source(make_config(tmp_path))
    desk.drop("user_review.json", message("a", date="2020-01-01", user_id="u"))
    assert desk.run() == {"read": 1, "done": 1}


@pytest.mark.parametrize("labels", [True, False])
def test_only_what_is_declared_is_read_and_what_is_known_brings_no_warning(
    source: Callable[..., Source], labels: bool, warnings: list[str]
) -> None:
    desk = source("dataset.messages.where='city IS NULL'", "dataset.split.column=text")
    desk.drop("a.json", message("a", stars=1, useful=7, average_stars=3, city=None, more=1, also=2))
    config = desk.config
    (batch,) = read_messages(config, config.dataset.messages.columns, message_files(config), labels)
    columns = ["review_id", "text", *(["stars"] if labels else []), "source_file", "source_line"]
    assert batch.rows.columns.tolist() == columns
    assert len(warnings) == 1
    assert_names(warnings[0], "a.json", 2, "also", "more")
