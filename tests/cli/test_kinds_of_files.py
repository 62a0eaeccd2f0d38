"""Files as people have them, through the real command line: each kind is read, or refused with advice that works."""

from __future__ import annotations

import json
import re

import pytest
from tests.naming import assert_ended, assert_line_names, assert_names, names, settings_in
from tests.projects import Project

from batch_nlp.errors import ExitCode

COLUMNS = ("review_id", "text", "date", "user_id", "business_id")
ROWS = [(f"n{number}", f"Friendly staff, clean rooms {number}", "2022-02-01", "u", "b") for number in range(40)]
OBJECTS = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def table(separator: str, end: str = "", quote: str = "") -> str:
    return "".join(separator.join(f"{quote}{cell}{quote}" for cell in row) + end + "\n" for row in [COLUMNS, *ROWS])


def test_every_kind_of_file_is_scored(project: Project) -> None:
    """One file of each kind with the same messages: the first brings them, the others bring nothing new."""
    inbox = project.inbox
    (inbox / "parts.jsonl").mkdir(parents=True)
    for name, content in {
        "array.json": json.dumps(OBJECTS).encode(),
        "pretty.JSON": json.dumps(OBJECTS, indent=2).encode("utf-16"),
        "semicolon.csv": table(";").encode(),
        "excel.csv": f"sep=;\n{table(';', ';;')}".encode("utf-16"),
        "empty_columns.CSV": table(",", ",,", '"').encode(),
        "tabs.tsv": table("\t").encode(),
        "parts.jsonl/part-00000.json": "\n".join(map(json.dumps, OBJECTS[:20])).encode(),
        "parts.jsonl/part-00001.json": "\n".join(map(json.dumps, OBJECTS[20:])).encode(),
        "parts.jsonl/_SUCCESS": b"",
    }.items():
        (inbox / name).write_bytes(content)
    result = project.here("pipeline=inference", "drift.response=none")
    assert result.returncode in (ExitCode.DONE, ExitCode.DRIFT), result.stderr
    assert_line_names(result.stderr, 280, "40 predicted", "240 duplicates", "0 quarantined")
    again = project.here("pipeline=inference")
    assert_ended(again, ExitCode.DONE)
    assert not names(again.stderr, "predicted")


def test_a_file_in_which_nothing_can_be_read_stays_new(project: Project) -> None:
    """Guarantee 24."""
    file = project.inbox / "night.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("review_id,text,date,user_id,business_id\nn1,only two\n")
    for _ in range(2):
        result = project.here("pipeline=inference")
        assert_ended(result, ExitCode.DATA)
        assert_line_names(result.stderr, file.name, "line 2", 2, 5)


def test_raw_files_are_refused_with_advice_on_times_and_encodings_that_works(empty_project: Project) -> None:
    project, raw = empty_project, empty_project.raw
    file = raw / "review.csv"
    settings = ("pipeline=feature", "dataset=yelp", "features=none", "training.inputs=[tabular,ngrams]")
    rows = "".join(f"n{number};perché no {number};{44593.5 + number}\n" for number in range(30))
    content = f"review_id;text;date\n{rows}"
    file.write_bytes(content.encode("cp1252"))
    result = project.here(*settings)
    assert result.returncode == ExitCode.DATA
    [encoding] = re.findall(r"dataset\.messages\.encoding=\w+", result.stderr)
    result = project.here(*settings, encoding)
    assert result.returncode == ExitCode.DATA
    assert_names(result.stderr, "44593.5", 'date: {role: time, format: "excel"}')
    [added] = settings_in(result.stderr)
    result = project.here(*settings, encoding, added)
    assert_ended(result, ExitCode.DONE, "30 new")


def test_for_ambiguous_dates_both_formats_are_settings_to_paste(empty_project: Project) -> None:
    project, raw = empty_project, empty_project.raw
    rows = "".join(f"n{number},it is no {number},0{1 + number % 9}/04/2015\n" for number in range(30))
    (raw / "review.csv").write_text(f"review_id,text,date\n{rows}")
    settings = ("pipeline=feature", "dataset=yelp", "features=none", "training.inputs=[tabular,ngrams]")
    result = project.here(*settings)
    assert result.returncode == ExitCode.DATA
    added = settings_in(result.stderr)
    assert added == [f'++dataset.messages.columns.date.format="{form}"' for form in ("%d/%m/%Y", "%m/%d/%Y")]
    for setting in added:
        result = project.here(*settings, setting)
        assert result.returncode == ExitCode.DONE, result.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("separator='ab'", ["dataset.messages.separator=ab", "';'", "tab"]),
        ("encoding=utf8000", ["dataset.messages.encoding=utf8000", "utf-8", "cp1252"]),
        ("encoding=hex", ["dataset.messages.encoding=hex"]),
    ],
)
def test_impossible_separators_and_encodings_are_settings_errors(
    project: Project, setting: str, words: list[str]
) -> None:
    result = project.here("pipeline=feature", f"dataset.messages.{setting}")
    assert_ended(result, ExitCode.SETTINGS, *words)
