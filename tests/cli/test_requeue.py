"""``pipeline=requeue`` through the command line: quarantined rows return to their source and are processed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.naming import assert_ended, assert_line_names, assert_names, names, refusal
from tests.projects import Project

from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.storage.requeued import raw_name

# no sample is generated, and a handful of rows may be broken
OWN = ("dataset.generate=false", "quarantine.max_share=1.0")


def review(name: str, **more: Any) -> dict[str, Any]:
    return {"review_id": name, "text": f"text of {name}", "date": "2020-01-01", "stars": 5, "useful": 3, **more}


def drop(folder: Path, name: str, *rows: dict[str, Any] | str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n")


def raw_folder(project: Project) -> Path:
    return project.data / "01_raw" / "sample"


def quarantine_of(project: Project) -> Path:
    return project.data / "03_primary" / "sample" / "quarantine"


@pytest.fixture(scope="module")
def quarantined(tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Project]) -> Project:
    """Return a project in which a run has left three rows and a broken line in quarantine; nobody writes to it."""
    project = new_project(tmp_path_factory.mktemp("quarantined") / "project")
    faults = [review("b", date="01.02.2020"), review("c", stars=11), review("d", text="  "), '{"review_id": "cut']
    drop(raw_folder(project), "review.json", review("a"), *faults)
    assert project.here("pipeline=feature", *OWN).returncode == 0
    return project


@pytest.fixture
def fresh(tmp_path: Path, quarantined: Project) -> Project:
    return Project(shutil.copytree(quarantined.folder, tmp_path / "project", symlinks=True))


def stored(project: Project, *overrides: str) -> str:
    """Run the feature pipeline and return its account."""
    result = project.here("pipeline=feature", *OWN, *overrides)
    assert result.returncode == 0, result.stderr
    [*_, account] = ["", *(line for line in result.stderr.splitlines() if names(line, "quarantined"))]
    return account


def test_repaired_rows_are_taken_in_and_the_others_stay(fresh: Project) -> None:
    """Guarantee 5: rows = requeued + left, and no row comes back twice."""
    [file] = quarantine_of(fresh).glob("*.parquet")
    frame = pd.read_parquet(file)
    assert json.loads(frame["row"][frame["message_id"] == "b"].item()) == review("b", date="01.02.2020")
    # a person mends two rows, gives up the third, and sends the copy as CSV
    frame = frame[frame["message_id"].isin(["b", "c"]) | frame["message_id"].isna()]
    frame["row"] = frame["row"].str.replace("01.02.2020", "2020-02-01").str.replace("11", "1")
    copy = fresh.folder / f"{file.stem} mended.csv"
    frame.to_csv(copy, index=False)
    result = fresh.here("pipeline=requeue", f"requeue.file='{copy}'", *OWN)
    assert_ended(result, 0, "2 requeued", "1 left", "review.json:5", "pipeline=feature")
    assert "text of" not in result.stderr
    assert_names(stored(fresh), "2 new", "0 known", "0 duplicates", "0 quarantined")
    assert set(pd.read_parquet(file)["source_line"]) == {4, 5}
    assert len(pd.read_parquet(quarantine_of(fresh) / "requeued" / file.name)) == 4


def test_without_a_file_sound_rows_go_back_and_the_rest_is_reported(fresh: Project) -> None:
    [file] = quarantine_of(fresh).glob("*.parquet")
    result = fresh.here("pipeline=requeue", *OWN)
    assert_names(result.stderr, "0 requeued", "4 left", "date", "target", "text", "JSON", "review.json:2")
    assert not list(raw_folder(fresh).glob("review-requeued-*"))
    assert len(pd.read_parquet(file)) == 4
    # what the settings call broken no more is put back and taken in, though rows of this content were read before
    other = "dataset.label.rare={as: ignore}"
    result = fresh.here("pipeline=requeue", *OWN, other)
    assert_names(result.stderr, "1 requeued", "3 left")
    said = [line for line in result.stderr.splitlines() if names(line, 4)]
    assert [names(line, 3) for line in said][:2] == [True, False], "what is broken is told first"
    [put] = raw_folder(fresh).glob("review-requeued-*.jsonl")
    assert [json.loads(line)["review_id"] for line in put.read_text().splitlines()] == ["c"]
    assert_names(stored(fresh, other), "1 new", "0 known", "0 duplicates", "0 quarantined")
    # the definition is another one, so all files are read
    account = stored(fresh, other, "features.clean_text.max_chars=10000")
    assert_names(account, 6, "2 new", "0 known", "1 duplicate", "3 quarantined")


def test_a_copy_with_broken_rows_leaves_the_quarantine_file_unchanged(fresh: Project) -> None:
    [file] = quarantine_of(fresh).glob("*.parquet")
    before = file.read_bytes()
    copy = fresh.folder / f"{file.stem}.jsonl"
    drop(fresh.folder, copy.name, review("b"), review("c", stars=12), {"review_id": "a", "stars": 1, "text": "x"})
    result = fresh.here("pipeline=requeue", f"requeue.file={copy}", *OWN)
    assert_names(result.stderr, "1 requeued", "2 left")
    assert_line_names(result.stderr, 1, "written_at")
    assert file.read_bytes() == before
    assert_names(stored(fresh), "1 new", "0 known", "0 duplicates", "0 quarantined")


def test_rows_that_a_killed_requeue_put_back_are_duplicates(fresh: Project) -> None:
    """Guarantee 1: the raw file appeared, the quarantine file did not go yet."""
    [file] = quarantine_of(fresh).glob("*.parquet")
    whole = file.read_bytes()
    copy = fresh.folder / f"{file.stem}.jsonl"
    pd.DataFrame([review("b")]).to_json(copy, orient="records", lines=True)
    for _ in range(2):
        assert fresh.here("pipeline=requeue", f"requeue.file={copy}", *OWN).returncode == 0
        file.write_bytes(whole)
    assert len(list(raw_folder(fresh).glob("review-requeued-*"))) == 1
    assert_names(stored(fresh), "1 new")


def test_rows_of_a_batch_go_back_to_the_inbox(project: Project) -> None:
    inbox = project.inbox
    drop(inbox, "review_new.json", *(review(f"n{n}") for n in range(3)), review("late", date="soon"))
    settings = ("drift.response=none", "quarantine.max_share=1.0")
    assert project.here("pipeline=inference", *settings).returncode == 0
    file = max((project.data / "09_inference" / "quarantine").glob("*.parquet"))
    frame = pd.read_parquet(file)
    frame["row"] = frame["row"].str.replace("soon", "2020-01-01")
    frame.to_parquet(file)
    result = project.here("pipeline=requeue", f"requeue.file={file}")
    assert_names(result.stderr, "1 requeued", "0 left", "pipeline=inference")
    assert not file.exists()
    assert_names(project.here("pipeline=inference", *settings).stderr, "1 predicted")
    again = project.here("pipeline=requeue", f"requeue.file={file.parent / 'requeued' / file.name}")
    assert_ended(again, ExitCode.DATA, file.name)


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("nowhere.csv", None, ExitCode.DATA, ["nowhere.csv"]),
        ("RUN.xlsx", "x", ExitCode.SETTINGS, [".xlsx", ".json"]),
        ("mine.csv", "row\n{}\n", ExitCode.SETTINGS, ["mine.csv", "RUN"]),
        ("RUN.csv", "id,body\n1,fine\n", ExitCode.DATA, ["RUN.csv", "row"]),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_copy_of_a_quarantine_file_is_refused(
    fresh: Project, name: str, content: str | None, code: ExitCode, words: list[str]
) -> None:
    """Guarantee 10."""
    [file] = quarantine_of(fresh).glob("*.parquet")
    path = fresh.folder / name.replace("RUN", file.stem)
    if content is not None:
        path.write_text(content)
    result = fresh.here("pipeline=requeue", f"requeue.file='{path}'", *OWN)
    assert_ended(result, code, *(word.replace("RUN", file.stem) for word in words))
    assert file.exists()
    assert sorted(path.name for path in raw_folder(fresh).iterdir()) == ["review.json"]


@pytest.mark.parametrize("pattern", ["*review*", "review*", "*_reviews", "yelp_*_review*", "*"])
def test_the_new_file_matches_the_tables_pattern(tmp_path: Path, pattern: str) -> None:
    (tmp_path / raw_name(pattern, "20260101T000000Z")).touch()
    assert len(list(tmp_path.glob(pattern + ".jsonl"))) == 1
    assert not list(tmp_path.glob(".*"))


def test_a_pattern_for_a_single_file_cannot_take_requeued_rows() -> None:
    with refusal(SettingsError, "review*"):
        raw_name("review", "20260101T000000Z")
