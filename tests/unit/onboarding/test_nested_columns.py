from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.naming import assert_names, refusal
from tests.settings import default
from tests.tickets import tickets

from batch_nlp.config import Config
from batch_nlp.errors import DataError
from batch_nlp.onboarding.column_profiles import profiles
from batch_nlp.onboarding.dataset_yaml import render_dataset
from batch_nlp.onboarding.nested_columns import flatten
from batch_nlp.onboarding.proposal import GivenColumns, propose
from batch_nlp.onboarding.source_files import Source, read_source

MESSAGES = tickets(60)
CONVERSATIONS = [
    {"id": str(900 + n), "title": None, "source": {"body": row["q"], "author": {"name": "Ann"}}, "topic": row["w"]}
    for n, row in enumerate(MESSAGES)
]
WITHIN = [{"id": n, "topic": row["w"], "body": {"text": row["q"], "lang": "en"}} for n, row in enumerate(MESSAGES)]


def lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join(map(json.dumps, rows))


def as_advised(said: str, own_process: bool = False) -> Source:
    """Run the command that a message gives, and look at the file that it names."""
    [(typed, file)] = re.findall(r"(uv run python -c .*) and set init\.file=(.*);", said)
    words = shlex.split(typed)
    assert words[:4] == ["uv", "run", "python", "-c"]
    if own_process:
        subprocess.run([sys.executable, *words[3:]], check=True)
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words[3:4] + words[5:])
            exec(words[4], {})  # noqa: S102 as python -c does
    return read_source(Path(file), GivenColumns())


@pytest.mark.parametrize(
    ("write", "above"),
    [
        (lambda rows: json.dumps({"type": "conversation.list", "conversations": rows, "pages": {"next": None}}), ""),
        (lambda rows: json.dumps({"feed": {"by": {"name": "a shop of apps"}, "entry": rows}}, indent=1), ""),
        (lambda rows: json.dumps([{"item": row} for row in rows], indent=1), "item."),
        (lambda rows: lines([{"item": row} for row in rows]), "item."),
    ],
)
def test_texts_within_objects_are_named_and_flattened_as_advised_they_are_read(
    write: Callable[[Any], str], above: str, tmp_path: Path
) -> None:
    file = tmp_path / "it's mine.json"
    file.write_text(write(CONVERSATIONS))
    with refusal(DataError, f"{above}source.body") as refused:
        read_source(file, GivenColumns())
    found = as_advised(str(refused.value))
    names = {f"{above}{name}" for name in ("id", "title", "source.body", "source.author.name", "topic")}
    assert (found.under, len(found.rows), found.rows[0].keys()) == (None, 60, names)
    proposal = propose(profiles(found.rows), GivenColumns(), "flat", default(Config))
    assert ([column.name for column in proposal.texts], proposal.levels) == (
        [f"{above}source.body"],
        [[f"{above}topic"]],
    )


def test_what_lies_beside_the_field_of_the_columns_is_named_and_flattened_as_advised_it_is_read(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines(WITHIN))
    found = read_source(file, GivenColumns())
    assert found.under == "body"
    assert_names(found.problems[0], "body", "id, topic")
    proposal = propose(profiles(found.rows), GivenColumns(), "a", default(Config))
    assert re.search(r"\bid, topic\b[^\n]*\n  rows: body", render_dataset("a", found, proposal, "a"))
    assert as_advised(found.problems[0], own_process=True).rows[0].keys() == {"id", "topic", "body.text", "body.lang"}
    # beside a list of rows lies nothing of any row
    file.write_text(json.dumps({"total": 60, "items": MESSAGES}))
    told = read_source(file, GivenColumns()).problems[0]
    assert_names(told, "items", "total")
    assert "init.file" not in told


def test_flat_and_nested_files_are_one_source_and_of_what_cannot_be_that_the_flat_ones_are_read(tmp_path: Path) -> None:
    for name, content in {
        "a.jsonl": lines(MESSAGES),
        "b.jsonl": lines([{"_id": n, "_source": row} for n, row in enumerate(MESSAGES)]),
    }.items():
        (tmp_path / name).write_text(content)
    found = read_source(tmp_path, GivenColumns())
    assert (found.under, found.pattern, found.rows) == ("_source", "*", MESSAGES * 2)
    (tmp_path / "b.jsonl").write_text(lines([{"x": {"y": row}} for row in MESSAGES]))
    found = read_source(tmp_path, GivenColumns())
    assert (found.pattern, found.rows) == ("a*", MESSAGES)
    assert_names(found.problems[0], "x", "b.jsonl")


def test_objects_beside_a_text_are_named_and_no_features(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines([{**row, "by": {"name": "Ann"}, "tags": [{"name": "x"}]} for row in MESSAGES]))
    found = read_source(file, GivenColumns())
    assert_names(found.problems[0], "by, tags")
    written = render_dataset("a", found, propose(profiles(found.rows), GivenColumns(), "a", default(Config)), "a")
    assert "# by contains objects" in written
    assert "by: {role:" not in written
    assert as_advised(found.problems[0]).rows[0].keys() == {"q", "w", "by.name", "tags.name"}


@pytest.mark.parametrize("name", ["source", "source.body", "source.author.name", "topic"])
def test_an_object_that_is_asked_for_is_refused_and_flattened_as_advised_it_is_read(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines(CONVERSATIONS))
    with refusal(DataError, name) as refused:
        read_source(file, GivenColumns(text=[name]))
    assert "source.body" in as_advised(str(refused.value)).rows[0]


def test_a_flat_file_keeps_broken_rows_and_replaces_none(tmp_path: Path) -> None:
    file, target = tmp_path / "a.jsonl", tmp_path / "flat.jsonl"
    file.write_text(lines([{"a": {"b": 5}}, {"a": {}}]) + "\n{broken\n")
    flatten(str(file), str(target))
    assert target.read_text().splitlines() == ['{"a.b":5}', "{}", '"{broken"']
    with pytest.raises(FileExistsError):
        flatten(str(file), str(target))
