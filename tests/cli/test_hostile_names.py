"""Hostile names in files, through the real command line: they cannot forge log lines or terminal output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.naming import assert_line_names
from tests.projects import Project
from tests.unit.notify.servers import serving

from batch_nlp.errors import ExitCode

FORGED = "2026-01-01 00:00:00 | ERROR   | forged"
ROW = {"review_id": "n1", "text": "Friendly staff", "date": "2022-02-01", "user_id": "u", "business_id": "b"}


def told(project: Project, output: str) -> list[str]:
    """Return the lines of the terminal and of the newest log, after checking that they hold no control characters."""
    log = max(project.data.glob("08_reporting/runs/*/*/run.log")).read_text()
    for text in (output, log):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert max(map(len, text.splitlines())) < 5000
    return [*output.splitlines(), *log.splitlines()]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_names_of_columns_and_files_are_printed_escaped(project: Project, ending: str) -> None:
    names = [f"evil\n{FORGED}", "\x1b[2J\x1b[31m", "\u202eexe", "long" * 75_000]
    row = {**ROW, **dict.fromkeys(names, "x")}
    content = json.dumps(row) + "\n"
    if ending == "csv":
        lines = (",".join(f'"{cell}"' for cell in cells) for cells in (row, row.values()))
        content = "\n".join(lines)
    (project.inbox / f"a\n{FORGED}\x1b[31m.{ending}").write_text(content)
    (project.inbox / f"b\n{FORGED}\x1b[31m.txt").touch()
    result = project.here("pipeline=inference", "drift.response=none")
    assert result.returncode == ExitCode.DONE, result.stderr
    lines = told(project, result.stderr + result.stdout)
    assert_line_names("\n".join(lines), 4, r"evil\n2026-01-01")
    assert not any(line.startswith(FORGED) for line in lines)


def test_a_csv_without_a_header_is_refused_without_a_word_of_its_first_message(
    tmp_path: Path, empty_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, raw = empty_project, empty_project.raw
    messages = ("n1,My secret illness,2022-01-01,5\n", "n1,My secret illness,5,5\n")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for message in messages:
        (raw / "review.csv").write_text(message * 2 + "n2,Another secret,2022-01-02,4\n")
        for settings in (
            ("pipeline=feature", "dataset=yelp", "features=none", "training.inputs=[tabular,ngrams]"),
            ("pipeline=init", "init.name=mine", f"init.file={raw}/review.csv", f"init.folder={tmp_path}"),
        ):
            with serving(200) as server:
                monkeypatch.setenv("BATCH_NLP_WEBHOOK", server.url)
                result = project.here(*settings, "notify=json")
            assert result.returncode == ExitCode.DATA
            output = result.stderr + result.stdout + json.dumps(server.received)
            lines = told(project, output)
            assert not any("secret" in line for line in lines)
            assert_line_names("\n".join(lines), "review.csv")
