"""Raw files are opened only where they lie: a link that is swapped in after the check is not followed."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.naming import refusal

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.formats import check_readable, rows_of
from batch_nlp.storage.raw.opening import unpacked
from batch_nlp.storage.raw.set_aside import split_allowed

SECRET = b'{"text": "secret"}\n'
SWAP = """
import os, sys
folder, secret = sys.argv[1:]
print("swapping", flush=True)
while True:
    os.symlink(secret, folder + "/.link")
    os.replace(folder + "/.link", folder + "/a.jsonl")
    with open(folder + "/.file", "w") as file:
        file.write('{"text": "mine"}\\n')
    os.replace(folder + "/.file", folder + "/a.jsonl")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.jsonl").write_bytes(SECRET)
    (tmp_path / "secret.jsonl.gz").write_bytes(gzip.compress(SECRET))
    pq.write_table(pa.table({"text": ["secret"]}), tmp_path / "secret.parquet")
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".parquet"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_that_takes_the_place_of_a_checked_file_is_not_followed(folder: Path, ending: str, what: str) -> None:
    inside = folder / "parts.jsonl" if what == "folder" else folder
    inside.mkdir(exist_ok=True)
    file = inside / f"secret{ending}"
    file.write_bytes((folder.parent / file.name).read_bytes())
    assert split_allowed([file], folder, follow_links=False)[0] == [file]
    assert len(list(rows_of(file))) == 1
    file.unlink()
    if what == "file":
        file.symlink_to(folder.parent / file.name)
    else:
        inside.rmdir()
        inside.symlink_to(folder.parent)
    for read in (check_readable, lambda path: list(rows_of(path))):
        with refusal(DataError, file.name):
            read(file)
    split_allowed([file], folder, follow_links=True)
    assert len(list(rows_of(file))) == 1


def test_a_link_within_a_folder_that_is_a_link_itself_is_followed(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(SECRET)
    (folder / "b.jsonl").symlink_to("a.jsonl")
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert split_allowed([link / "b.jsonl"], link, follow_links=False)[0]
    assert len(list(rows_of(link / "b.jsonl"))) == 1


def test_a_process_that_swaps_a_link_in_and_out_gets_nothing_read(folder: Path) -> None:
    file, read = folder / "a.jsonl", set()
    file.write_text('{"text": "mine"}\n')
    split_allowed([file], folder, follow_links=False)
    command = [sys.executable, "-c", SWAP, str(folder), str(folder.parent / "secret.jsonl")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as swapper:
        try:
            assert swapper.stdout is not None
            swapper.stdout.readline()
            for attempt in range(100_000):
                if attempt > 3000 and len(read) > 1:
                    break
                try:
                    with unpacked(file) as content:
                        read.add(content.read())
                except DataError:
                    read.add(b"refused")
        finally:
            swapper.kill()
    assert read == {b'{"text": "mine"}\n', b"refused"}


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_is_no_file_does_not_keep_a_run_waiting(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.jsonl")
    with refusal(DataError, tmp_path / "a.jsonl"):
        check_readable(tmp_path / "a.jsonl")
