from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.naming import assert_names, names, refusal, settings_in
from tests.raw_source import RawSource, review

from batch_nlp.config import Config
from batch_nlp.errors import DataError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.run import FeatureResult

MakeConfig = Callable[..., Config]
Rows = list[dict[str, Any]]
NOTHING = {"known": 0, "duplicates": 0, "quarantined": 0}


class Desk(RawSource):
    """A data folder, and the feature pipeline to run in it."""

    @property
    def version(self) -> str:
        return FeatureDefinition.from_config(self.config).version

    def run(self) -> FeatureResult:
        return self.take_in()

    def features(self) -> pd.DataFrame:
        ids = self.store.ids(self.version)
        names = ids.read_all()["message_id"].to_pylist() if ids else []
        return self.store.features_of(self.version, names).sort_values("message_id", ignore_index=True)

    def labels(self) -> dict[str, str]:
        frame = self.store.labelled(self.store.data_version(self.version))
        return dict(zip(frame["message_id"], frame["target"], strict=True))


@pytest.fixture
def desk(tmp_path: Path, make_config: MakeConfig) -> Desk:
    return Desk(make_config(tmp_path))


def test_stray_times_of_another_form_are_read_as_advised(
    tmp_path: Path, make_config: MakeConfig, warnings: list[str]
) -> None:
    desk = Desk(make_config(tmp_path))
    dates = ["2020-01-14 10:00:00"] * 100 + ["13.01.2020"] * 15
    desk.drop("review.json", *(review(f"m{number:03}", date=date) for number, date in enumerate(dates)))
    desk.run()
    [told] = [line for line in warnings if settings_in(line)]
    assert_names(told, 15, "date", "13.01.2020")
    [advice] = settings_in(told)
    desk = Desk(make_config(tmp_path, advice), runs=1)
    desk.run()
    written = desk.features()["written_at"]
    assert (len(written), {f"{day:%m-%d}" for day in written}) == (115, {"01-13", "01-14"})


def test_without_a_message_file_the_error_says_where_to_put_which(desk: Desk) -> None:
    with refusal(DataError, "*review*", ".json", "01_raw/sample", "dataset.raw_dir"):
        desk.run()
    desk.drop("messages.json", review("a"))
    with refusal(DataError, "dataset.messages.files=*review*", "messages.json"):
        desk.run()


def test_only_what_is_new_is_computed(desk: Desk) -> None:
    desk.drop("review_1.json", review("a"), review("b"), review("a"))
    first = desk.run()
    assert first.accounts == {"read": 3, "done": 2, **NOTHING, "duplicates": 1}
    assert first.labels == 2
    before = desk.store.data_version(desk.version)
    assert desk.run().accounts["read"] == 0
    assert desk.store.data_version(desk.version) == before
    desk.drop("review_2.json", review("b"), review("c"))
    assert desk.run().accounts == {"read": 2, "done": 1, **NOTHING, "known": 1}
    assert desk.features()["message_id"].tolist() == ["a", "b", "c"]


def test_a_csv_that_breaks_off_within_a_line_is_left_while_it_may_be_written(
    tmp_path: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    naps: list[float] = []
    monkeypatch.setattr("time.sleep", naps.append)
    desk = Desk(make_config(tmp_path, "inference.min_age_seconds=2"))
    desk.drop("review_whole.json", review("w"))
    file = desk.raw / "review.csv"

    def write(text: str) -> None:
        file.write_text(f"review_id,date,user_id,business_id,stars,text\na,2020-01-01,u,b,5,{text}")
        os.utime(file, (time.time() - 12,) * 2)

    write("half of")
    assert desk.run().accounts["done"] == 1
    assert naps == [pytest.approx(18, abs=0.5)]
    assert any(names(warning, file.name) for warning in warnings)
    write("half of it\n")
    assert desk.run().accounts["done"] == 1
    assert len(naps) == 1, "one that is whole is not waited for"
    write("cut")
    desk.config = replace(desk.config, inference=replace(desk.config.inference, min_age_seconds=0))
    assert desk.run().accounts["quarantined"] == 1, "it is read as it is, and its id is known with another text"
    assert len(naps) == 1


def test_a_label_that_comes_later_or_changes_is_new_data(desk: Desk) -> None:
    desk.drop("review_1.json", review("a", None), review("b", 1))
    assert desk.run().labels == 1
    assert desk.labels() == {"b": "1"}
    desk.drop("review_2.json", review("a", 4.0), review("b", 2))
    result = desk.run()
    assert (result.labels, result.accounts["known"]) == (2, 2)
    assert desk.labels() == {"a": "4", "b": "2"}
    desk.drop("review_3.json", review("a", 4))
    assert desk.run().labels == 0


def test_a_label_of_another_text_is_not_this_messages(desk: Desk) -> None:
    desk.drop("review_1.json", review("a", None))
    desk.run()
    desk.drop("review_2.json", review("a", 1, text="another text"))
    result = desk.run()
    assert (result.labels, result.accounts["quarantined"]) == (0, 1)


@pytest.mark.parametrize(
    "text", ["First\r\nsecond", "First\rsecond", "First \nsecond  ", "First\nsecond\n", "First\u00a0\nsecond"]
)
def test_a_label_of_the_same_text_with_other_line_ends_or_trailing_space_is_this_messages(
    desk: Desk, text: str
) -> None:
    desk.drop("review_1.json", review("a", None, text="First\nsecond"))
    desk.run()
    desk.drop("review_2.json", review("a", 1, text=text))
    result = desk.run()
    assert (result.labels, result.accounts["known"], result.accounts["quarantined"]) == (1, 1, 0)
    assert desk.labels() == {"a": "1"}


def test_a_file_whose_name_fits_messages_and_a_side_table_hides_no_table(desk: Desk) -> None:
    user = {"user_id": "u", "yelping_since": "2015-01-01 00:00:00", "elite": "2018,2019", "review_count": 9}
    desk.drop("user.json", user)
    desk.drop("new_user_reviews.json", review("a", date="2022-01-01"))
    desk.run()
    assert desk.features()[["elite_years", "tenure_days"]].to_numpy().tolist() == [[2, 2557]]


def test_a_later_label_that_is_no_class_does_not_take_the_place_of_a_good_one(desk: Desk) -> None:
    desk.drop("review_1.json", review("a", 5), review("b", 4))
    desk.run()
    desk.drop("review_2.json", review("a", 11), review("b", "good"))
    assert desk.run().labels == 0
    assert desk.labels() == {"a": "5", "b": "4"}


@pytest.mark.parametrize("commit_rows", [1, 2, 100])
def test_of_several_labels_of_a_message_the_last_counts_whatever_the_size_of_a_commit(
    desk: Desk, commit_rows: int
) -> None:
    desk.config = replace(desk.config, engine=replace(desk.config.engine, batch_rows=1, commit_rows=commit_rows))
    desk.drop("review.json", review("a", 1), review("b", 5), review("a", 5), review("b", 1), review("a", 3))
    desk.run()
    assert desk.labels() == {"a": "3", "b": "1"}


def test_every_layer_keeps_what_its_step_put_out(desk: Desk) -> None:
    faults = [review("c", text=None), review("d", date="x"), review("e", stars=9)]
    desk.drop("review.json", review("a", text="Fish &amp; chips"), review("b"), *faults)
    desk.run()
    intermediate = pq.read_table(desk.layers.intermediate / "messages" / "run-1-0001.parquet")
    assert intermediate["message_id"].to_pylist() == ["a", "b", "c", "e"]
    assert intermediate["text"].to_pylist()[0] == "Fish &amp; chips"
    primary = pq.read_table(desk.layers.primary / "messages" / "run-1-0001.parquet")
    assert primary["text"].to_pylist() == ["Fish & chips", "text of b"]
    quarantine = pq.read_table(desk.layers.primary / "quarantine" / "run-1.parquet")
    assert sorted(zip(quarantine["message_id"].to_pylist(), quarantine["column"].to_pylist(), strict=True)) == [
        ("c", "text"), ("d", "date"), ("e", "target"),
    ]  # fmt: skip
    page = (desk.layers.diagrams / "feature.html").read_text()
    names = ("extract", "validate", "remove_duplicates", "clean_text", "text_counts", "date_parts", "embedding")
    places = [page.find(name) for name in names]
    assert -1 not in places


def test_input_that_is_mostly_broken_stops_the_run_and_is_read_again_when_it_was_mended(desk: Desk) -> None:
    engine = replace(desk.config.engine, batch_rows=1, commit_rows=1)
    desk.config = replace(desk.config, engine=engine, quarantine=replace(desk.config.quarantine, min_messages=3))
    desk.drop("review_0.json", review("z"))
    desk.run()
    before = desk.features()
    desk.drop("review.json", review("a"), review("b", text=None), review("c", text=None))
    with refusal(DataError, 2, 3, "67%", "quarantine/refused/run-2.parquet"):
        desk.run()
    # what was committed before the end of the file is taken back, so that nothing learns from it
    pd.testing.assert_frame_equal(desk.features(), before)
    assert desk.labels() == {"z": "5"}
    assert desk.store.problems() == []
    kept = [path.name for path in desk.layers.intermediate.parent.parent.rglob("*.parquet")]
    assert sorted(name for name in kept if name.startswith("run-")) == ["run-1-0001.parquet"] * 2 + ["run-2.parquet"]
    desk.drop("review.json", review("a", text="mended too"), review("b"), review("c"))
    assert desk.run().accounts == {"read": 3, "done": 3, **NOTHING}


@pytest.mark.parametrize("column", ["review_id", "text", "date"])
def test_a_missing_column_is_refused_before_anything_is_stored(desk: Desk, column: str) -> None:
    """Guarantee 17."""
    rows = [{name: value for name, value in review(name).items() if name != column} for name in "abc"]
    desk.drop("review.json", *rows)
    with refusal(DataError, "review.json", column):
        desk.run()
    assert desk.store.count(desk.version) == 0


def test_another_definition_computes_all_messages_anew_in_a_table_of_its_own(
    desk: Desk, tmp_path: Path, make_config: MakeConfig
) -> None:
    desk.drop("review.json", review("a", text="one two three"))
    desk.run()
    other = Desk(make_config(tmp_path, "features.clean_text.max_chars=3"), runs=1)
    assert other.run().accounts["done"] == 1
    assert other.version != desk.version
    assert other.features()["text"].tolist() == ["one"]
    assert desk.features()["text"].tolist() == ["one two three"]


def _poison(name: str, value: Any) -> Any:
    """Return something else of the kind that the column holds."""
    if name == "stars":
        return 6 - value  # still a valid label
    if name == "friends":
        return "None" if value != "None" else "somebody"
    return value * 7 + 13


def test_no_feature_is_computed_from_what_holds_the_label_or_comes_later(
    tmp_path: Path, make_config: MakeConfig, sample_raw: Path
) -> None:
    """Every forbidden column is changed in all three tables; the features stay the same to the bit."""
    honest = Desk(make_config(tmp_path / "honest"))
    poisoned = Desk(make_config(tmp_path / "poisoned"))
    forbidden = set(honest.config.dataset.forbidden)
    changed: set[str] = set()
    for file in sample_raw.iterdir():
        rows = []
        for line in file.read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        # the messages that break a contract by their stars are another matter
        sound = [row for row in rows if row.get("stars", 1) in (1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5)]
        honest.drop(file.name, *sound)
        changed |= {name for row in sound for name in row} & forbidden
        poisoned.drop(
            file.name,
            *({name: _poison(name, value) if name in forbidden else value for name, value in row.items()}
              for row in sound),
        )  # fmt: skip
    # the sample has them all but for two kinds of compliments
    assert forbidden - changed <= {name for name in forbidden if name.startswith("compliment_")}
    assert {"stars", "useful", "average_stars", "review_count", "friends", "is_open"} <= changed
    honest.run()
    poisoned.run()
    pd.testing.assert_frame_equal(honest.features(), poisoned.features(), check_exact=True)
    assert len(honest.features()) > 700
    assert honest.labels() != poisoned.labels()
