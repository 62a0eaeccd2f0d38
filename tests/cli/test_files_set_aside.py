"""Unusable files through the real command line: each is reported and does not stop the others."""

from __future__ import annotations

import gzip
import json
import os
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.naming import assert_ended, assert_line_names, assert_names, names, settings_in
from tests.projects import Project

from batch_nlp.errors import ExitCode
from batch_nlp.inference.batch_records import BatchRecords
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.seal import hash_of

# Settings by which every file in 01_raw is messages
ANY_FILE = ("dataset=yelp", "dataset.messages.files='*'", "features=none", "training.inputs=[tabular,ngrams]")


def reviews(prefix: str, count: int = 40) -> list[dict[str, str]]:
    """Return rows as the sample has them; the champion misses columns that it was trained with."""
    same = {"date": "2022-02-01", "user_id": "u", "business_id": "b"}
    return [
        {"review_id": f"{prefix}{number}", "text": f"Friendly staff, clean rooms {prefix}{number}", **same}
        for number in range(count)
    ]


def lines(prefix: str, count: int = 40) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in reviews(prefix, count)).encode()


def predicted(project: Project) -> list[str]:
    files = sorted(project.data.glob("09_inference/predictions/*/predictions.parquet"))
    return [name for file in files for name in pq.read_table(file, columns=["message_id"])["message_id"].to_pylist()]


def spoil(folder: Path) -> dict[str, bytes]:
    """Write unusable files; return the name of each as it is displayed, with the content that repairs it."""
    whole = {
        "cut.jsonl.gz": gzip.compress(lines("gz", 300)),
        "array.json": json.dumps(reviews("array", 300)).encode(),
        "bad.parquet": b"PAR1 and no footer",
        "sheet.csv": b"PK\x03\x04 is how a spreadsheet begins",
    }
    for name, content in whole.items():
        (folder / name).write_bytes(content[: len(content) * 2 // 3])
    (folder / os.fsdecode(b"caf\xe9.jsonl")).write_bytes(lines("latin"))
    return {**whole, "caf\\xe9.jsonl": b""}


def test_files_that_cannot_be_used_do_not_keep_the_others_from_being_scored(project: Project) -> None:
    inbox = project.inbox
    before = len(predicted(project))
    bad = spoil(inbox)
    (inbox / "good.jsonl").write_bytes(lines("good"))
    result = project.here("pipeline=inference", "drift.response=none")
    assert result.returncode == ExitCode.DATA, result.stderr
    assert sorted(predicted(project)[before:]) == sorted(row["review_id"] for row in reviews("good")), result.stderr
    assert_line_names(result.stderr, 5, *bad)
    assert all(f"{name}: " in result.stderr for name in bad)
    metrics = (project.data / "08_reporting" / "metrics" / "sample-inference.prom").read_text()
    assert 'last_exit_code{dataset="sample",pipeline="inference"} 3.0' in metrics
    status = project.here("pipeline=status")
    assert status.returncode == ExitCode.DATA
    assert all(name in status.stdout for name in bad), status.stdout

    (inbox / "cut.jsonl.gz").write_bytes(bad["cut.jsonl.gz"])
    (inbox / os.fsdecode(b"caf\xe9.jsonl")).rename(inbox / "café.jsonl")
    result = project.here("pipeline=inference", "drift.response=none")
    assert_ended(result, ExitCode.DATA)
    assert_line_names(result.stderr, 3, "array.json", "bad.parquet", "sheet.csv")
    ids = predicted(project)[before:]
    assert sorted(ids) == sorted(
        row["review_id"] for name, count in (("good", 40), ("latin", 40), ("gz", 300)) for row in reviews(name, count)
    )
    for name in ("array.json", "bad.parquet", "sheet.csv"):
        (inbox / name).unlink()
    assert project.here("pipeline=inference").returncode == ExitCode.DONE
    assert project.here("pipeline=status").returncode == ExitCode.DONE


def test_files_that_cannot_be_used_do_not_keep_the_others_from_the_store(empty_project: Project) -> None:
    project, raw = empty_project, empty_project.raw
    bad = spoil(raw)
    (raw / "good.jsonl").write_bytes(lines("good"))
    result = project.here("pipeline=feature", *ANY_FILE)
    assert_ended(result, ExitCode.DATA, "40 new")
    assert all(f"{name}: " in result.stderr for name in bad)
    status = project.here("pipeline=status", *ANY_FILE)
    assert all(name in status.stdout for name in bad), status.stdout

    result = project.here("pipeline=feature", *ANY_FILE)
    assert_ended(result, ExitCode.DATA)
    assert not names(result.stderr, "40 new")
    for name in ("array.json", "cut.jsonl.gz"):
        (raw / name).write_bytes(bad[name])
    result = project.here("pipeline=feature", *ANY_FILE)
    assert_names(result.stderr, "600 new")


def nothing_readable(folder: Path) -> dict[str, bytes]:
    """Write small files without a readable row; return the content that repairs each."""
    german = {"night.json": "31.01.2022", "mixed.json": "31.01.2022"}
    for name, date in german.items():
        rows = [{**row, "date": date} for row in reviews(name, 3)]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows[:1]))
    broken = [{**reviews("mixed.json")[1], "review_id": {"value": 1}}, {**reviews("mixed.json")[2], "text": {}}]
    with (folder / "mixed.json").open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in broken) + '{"cut')
    return {"night.json": lines("night.json", 1), "mixed.json": lines("mixed.json", 3)}


def test_a_file_of_one_row_whose_values_cannot_be_read_stays_new_beside_good_ones(project: Project) -> None:
    """Guarantee 24."""
    inbox = project.inbox
    repaired = nothing_readable(inbox)
    records = BatchRecords(Layers(project.data, "sample").batches)
    records.claim({"night.json": hash_of(inbox / "night.json")}, "sample", datetime.now(UTC))
    result = project.here("pipeline=inference", "drift.response=none")  # goes on with the batch of a killed run
    assert_ended(result, ExitCode.DATA, "night.json")
    (inbox / "good.jsonl").write_bytes(lines("good"))
    result = project.here("pipeline=inference", "drift.response=none")
    both = "'++dataset.messages.columns.date.format=\"iso|%d.%m.%Y\"'"
    assert_ended(result, ExitCode.DATA, "40 predicted", "v0001", both)
    assert_line_names(result.stderr, 2, "mixed.json", "night.json")
    assert_line_names(result.stderr, "night.json", 1, "date")
    assert_line_names(result.stderr, "mixed.json", 4, "JSON")
    status = project.here("pipeline=status")
    assert (status.returncode, "mixed.json, night.json" in status.stdout) == (ExitCode.DATA, True), status.stdout
    result = project.here("pipeline=inference", "drift.response=none")
    assert_ended(result, ExitCode.DATA)
    assert not names(result.stderr, "predicted")

    (inbox / "mixed.json").write_bytes(repaired["mixed.json"])
    for pipeline in ("feature", "training"):
        result = project.here(f"pipeline={pipeline}", *shlex.split(both))
        assert result.returncode == ExitCode.DONE, result.stderr
    result = project.here("pipeline=inference", "drift.response=none", *shlex.split(both))
    assert_ended(result, ExitCode.DONE, "4 predicted")


def test_raw_files_whose_values_cannot_be_read_stay_new_and_are_read_as_advised(empty_project: Project) -> None:
    """Guarantee 24."""
    project, raw = empty_project, empty_project.raw
    repaired = nothing_readable(raw)
    (raw / "labels.json").write_text('{"review_id": "good1", "stars": {"value": 4}}\n')
    (raw / "good.jsonl").write_bytes(lines("good"))
    result = project.here("pipeline=feature", *ANY_FILE)
    assert_ended(result, ExitCode.DATA, "40 new", "0 known", "0 duplicates", "0 quarantined")
    assert_line_names(result.stderr, "labels.json", "stars", 1)
    status = project.here("pipeline=status", *ANY_FILE)
    assert_line_names(status.stdout, 3, "labels.json")
    for name, content in {
        "labels.json": b'{"review_id": "good1", "stars": 4}',
        "mixed.json": repaired["mixed.json"],
    }.items():
        (raw / name).write_bytes(content)
    [added] = {*settings_in(result.stderr)}
    result = project.here("pipeline=feature", *ANY_FILE, added)
    assert_ended(result, ExitCode.DONE, "44 new")
    assert_line_names(result.stderr, 45, "1 label")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_stops_only_itself(project: Project) -> None:
    inbox = project.inbox
    (inbox / "secret.jsonl").write_bytes(lines("secret"))
    (inbox / "secret.jsonl").chmod(0)
    (inbox / "good.jsonl").write_bytes(lines("good"))
    result = project.here("pipeline=inference", "drift.response=none")
    assert result.returncode == ExitCode.DATA
    assert "secret.jsonl" in result.stderr
    assert "good0" in predicted(project)


def test_links_out_of_a_drop_folder_are_not_followed_unless_asked_to(project: Project) -> None:
    inbox, secret = project.inbox, project.folder / "secret.jsonl"
    secret.write_bytes(lines("secret"))
    parts = project.folder / "elsewhere"
    parts.mkdir()
    (parts / "part-00000.jsonl").write_bytes(lines("part"))
    (inbox / "good.jsonl").write_bytes(lines("good"))
    (inbox / "link.jsonl").symlink_to(secret)
    (inbox / "environment.csv").symlink_to("/proc/self/environ")
    (inbox / "folder.jsonl").symlink_to(parts)
    (inbox / "inside.jsonl").symlink_to("good.jsonl")
    result = project.here("pipeline=inference", "drift.response=none")
    assert_ended(result, ExitCode.DATA)
    assert_line_names(result.stderr, 3, "environment.csv", "folder.jsonl", "link.jsonl")
    ids = predicted(project)
    assert "good0" in ids
    kept = [path for path in project.data.rglob("*") if path.is_file() and inbox not in path.parents]
    assert not any(b"secret1" in path.read_bytes() for path in kept)
    (inbox / "environment.csv").unlink()
    result = project.here("pipeline=inference", "drift.response=none", "dataset.follow_links=true")
    assert result.returncode == ExitCode.DONE, result.stderr
    assert {"secret0", "part0"} <= set(predicted(project))


@pytest.mark.parametrize("what", ["link", "name"])
def test_a_side_table_that_must_not_be_opened_keeps_messages_from_being_scored_without_it(
    project: Project, what: str
) -> None:
    inbox, outside = project.inbox, project.folder / "users.json"
    (inbox / "good.jsonl").write_bytes(lines("good"))
    outside.write_bytes(b'{"user_id": "u"}\n')
    name = "user_new.json" if what == "link" else os.fsdecode(b"user_\xe9.json")
    (inbox / name).symlink_to(outside)
    result = project.here("pipeline=inference", "drift.response=none")
    assert (result.returncode, "good0" in predicted(project)) == (ExitCode.DATA, False)
    assert "user_new.json" in result.stderr or "user_\\xe9.json" in result.stderr


@pytest.mark.parametrize("where", ["inbox", "raw"])
def test_a_side_table_that_cannot_be_read_stops_all_by_its_name(project: Project, where: str) -> None:
    inbox = project.inbox
    folder = inbox if where == "inbox" else project.data / "01_raw" / "sample"
    row = b'{"user_id": "%d", "yelping_since": "2010-01-01", "elite": ""}\n'
    users = gzip.compress(b"".join(row % number for number in range(3000)))
    spoilt = {"user_cut.json.gz": users[:-500], "user_bad.parquet": b"PAR1 and no footer"}
    if os.geteuid():
        spoilt["user_secret.json"] = b'{"user_id": "u"}\n'
    for name, content in spoilt.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0 if "secret" in name else 0o600)
    (inbox / "good.jsonl").write_bytes(lines("good"))
    for pipeline in ("inference", "status"):
        result = project.here(f"pipeline={pipeline}", "drift.response=none")
        assert result.returncode == ExitCode.DATA
        told = " ".join(result.stderr.split())
        assert_names(told, len(spoilt))
        assert all(f"{name}: " in told for name in spoilt)
        assert "Traceback" not in told
    assert "good0" not in predicted(project)
    (folder / "user_cut.json.gz").write_bytes(users)
    for name in spoilt.keys() - {"user_cut.json.gz"}:
        (folder / name).unlink()
    result = project.here("pipeline=inference", "drift.response=none")
    assert result.returncode == ExitCode.DONE, result.stderr
    assert "good0" in predicted(project)
