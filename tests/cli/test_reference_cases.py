"""Inputs that once lost labels or features, each through the real command line."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable
from tests.naming import assert_ended, assert_line_names, assert_names, settings_in
from tests.projects import Project
from tests.settings import default

from batch_nlp.config import EngineConfig
from batch_nlp.errors import ExitCode
from batch_nlp.storage.feature_store import FeatureStore


@dataclass(frozen=True)
class Source:
    """Raw files of the dataset yelp, and its feature store."""

    project: Project

    @property
    def raw(self) -> Path:
        return self.project.data / "01_raw" / "yelp"

    @property
    def store(self) -> Path:
        return self.project.data / "04_feature" / "yelp"

    def write(self, name: str, *rows: dict[str, object]) -> None:
        self.raw.mkdir(parents=True, exist_ok=True)
        (self.raw / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(self, *overrides: str) -> tuple[str, int]:
        """Run the feature pipeline; return what it said, and how many labels it added."""
        settings = ("dataset=yelp", "features=none", "training.inputs=[tabular,ngrams]")
        result = self.project.here("pipeline=feature", *settings, *overrides)
        assert result.returncode == ExitCode.DONE, result.stderr
        added = re.search(r"([\d,]+) labels? added", result.stderr)
        return result.stderr, int(added[1].replace(",", "")) if added else 0

    def labels(self, *ids: str) -> dict[str, str]:
        return FeatureStore(self.store, default(EngineConfig, temp_directory=str(self.store / "spill"))).labels.of(
            list(ids)
        )

    def features(self) -> pd.DataFrame:
        [table] = (path for path in self.store.glob("features-*") if path.is_dir())
        return DeltaTable(str(table)).to_pandas()


@pytest.fixture
def source(tmp_path: Path, new_project: Callable[[Path], Project]) -> Source:
    return Source(new_project(tmp_path / "project"))


def review(name: str, **more: object) -> dict[str, object]:
    return {"review_id": name, "text": f"The parcel of {name} came late", "date": "2022-01-01", **more}


@pytest.mark.parametrize("correction", ["review_2022-02.json", "corrected_review_2022-02.json"])
def test_a_corrected_label_stays_whatever_comes_again(source: Source, correction: str) -> None:
    """Guarantee 23."""
    old = source.raw / "review_2022-01.json"
    source.write(old.name, review("a", stars=5))
    assert source.run()[1] == 1
    source.write(correction, review("a", stars=1))
    assert source.run()[1] == 1
    assert source.labels("a") == {"a": "1"}
    os.utime(old, (1, 1))
    shutil.copy(old, source.raw / "a_copy_of_review.json")
    assert source.run()[1] == 0
    assert source.run("features.clean_text.max_chars=10000")[1] == 0
    assert source.labels("a") == {"a": "1"}


def test_files_of_one_run_that_disagree_are_told_and_the_later_name_counts(source: Source) -> None:
    """Guarantee 23; 10 is later than 9, as people count."""
    source.write("review_9.json", review("a", stars=5), review("b", stars=5))
    source.write("review_10.json", review("a", stars=1), review("b", stars=5))
    said, added = source.run()
    assert added == 2
    assert source.labels("a", "b") == {"a": "1", "b": "5"}
    assert_line_names(said, "WARNING", 1)


@pytest.mark.parametrize(
    "text", ["First line\r\nsecond line", "First line\nsecond line ", "First line \t\nsecond line\n"]
)
def test_labels_match_texts_with_other_line_ends_and_trailing_spaces(source: Source, text: str) -> None:
    """A text is the same whatever its line ends and the space at the end of its lines."""
    source.write("review_1.json", {**review("a"), "text": "First line\nsecond line"})
    source.run()
    rows = f'review_id,text,date,stars\r\na,"{text}",2022-01-01,5\r\n'
    (source.raw / "review_2_labels.csv").write_bytes(rows.encode())
    said, added = source.run()
    assert_names(said, "0 new", "1 known", "0 duplicates", "0 quarantined")
    assert added == 1
    assert source.labels("a") == {"a": "5"}


def test_labels_need_no_text(source: Source) -> None:
    source.write("review_1.json", review("a"), review("b"))
    source.run()
    (source.raw / "review_labels.csv").write_text("review_id,stars\na,5\nb,\n")
    said, added = source.run()
    assert_line_names(said, "1 quarantined", "1 label")
    assert added == 1
    assert source.labels("a", "b") == {"a": "5"}


def test_messages_whose_file_is_named_like_a_side_table_are_messages(source: Source) -> None:
    source.write("user.json", {"user_id": "u", "yelping_since": "2015-01-01 00:00:00", "elite": "2018,2019"})
    source.write("new_user_reviews.json", review("a", user_id="u", stars=5))
    said, added = source.run()
    assert added == 1
    assert_line_names(said, "user", 1)
    found = source.features()
    assert found[["elite_years", "tenure_days"]].to_numpy().tolist() == [[2, 2557]]


def test_new_messages_whose_file_is_named_like_a_side_table_are_scored(project: Project) -> None:
    inbox = project.inbox
    lines = [json.dumps(review(f"n{number}", user_id=f"u{number}", business_id="b")) for number in range(40)]
    (inbox / "user_reviews.json").write_text("\n".join(lines))
    result = project.here("pipeline=inference", "drift.response=none")
    assert_ended(result, ExitCode.DONE, "40 predicted")


def test_what_is_not_read_is_named_and_an_inbox_that_was_set_must_be_there(project: Project) -> None:
    """Guarantee 24."""
    inbox = project.inbox
    (inbox / "friday.json.zip").write_text("PK")
    for pipeline in ("inference", "status"):
        result = project.here(f"pipeline={pipeline}", "drift.response=none")
        assert result.returncode == ExitCode.DONE, result.stderr
        assert "friday.json.zip" in result.stdout + result.stderr
    share = project.folder / "share"
    result = project.here("pipeline=inference", f"inference.inbox={share}")
    assert_ended(result, ExitCode.DATA, f"inference.inbox={project.shown(share)}")
    assert f"inference.inbox={project.shown(share)}" in "".join(
        project.here("pipeline=status", f"inference.inbox={share}").stdout.split("! ")
    ).replace("\n", " ")
    share.mkdir()
    assert project.here("pipeline=inference", f"inference.inbox={share}").returncode == ExitCode.DONE


def test_many_small_files_are_predicted_as_one_file(project: Project, tmp_path: Path) -> None:
    rows = [json.dumps(review(f"n{number:03}", user_id="u", business_id="b")) + "\n" for number in range(60)]
    found = []
    for name in ("one", "many"):
        copy = Project(shutil.copytree(project.folder, tmp_path / name, symlinks=True))
        inbox = copy.data / "09_inference" / "inbox"
        for file in inbox.iterdir():
            file.unlink()
        parts = [rows] if name == "one" else [[row] for row in rows]
        for number, part in enumerate(parts):
            (inbox / f"{number:03}.json").write_text("".join(part))
        (inbox / "z.json").write_text("broken\n" + rows[0].replace("n000", "z"))
        result = copy.here("pipeline=inference", "drift.response=none")
        assert_line_names(result.stderr, 62, "61 predicted", "0 duplicates", "1 quarantined")
        predictions = (copy.data / "09_inference" / "predictions").glob("*/predictions.parquet")
        found.append(pd.read_parquet(max(predictions)).drop(columns="predicted_at"))
    pd.testing.assert_frame_equal(*found)


def test_the_advice_for_a_renamed_id_works_and_what_a_champion_ignores_is_said(project: Project) -> None:
    inbox = project.inbox
    rows = [json.dumps(review(f"n{number}", user_id="u", business_id="b")) for number in range(30)]
    rows = [row.replace("review_id", "reviewId") for row in rows]
    (inbox / "new.json").write_text("\n".join(rows))
    refused = project.here("pipeline=inference", "drift.response=none")
    assert refused.returncode == ExitCode.DATA
    [advice] = settings_in(refused.stderr)
    ignored = "+dataset.messages.columns.body={role: text}"
    result = project.here("pipeline=inference", "drift.response=none", advice, ignored)
    assert_ended(result, ExitCode.DONE, "30 predicted")
    assert_line_names(result.stderr, 1, "dataset.messages.columns.body")
