from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import assert_names, names, refusal

from batch_nlp.config import Config
from batch_nlp.dataset.drop_folders import (
    check_inbox,
    check_raw_dir,
    log_set_aside,
    unread_in_inbox,
    unread_in_raw_dir,
)
from batch_nlp.errors import DataError
from batch_nlp.storage.raw.set_aside import SetAside

ROW = '{"review_id": "a", "text": "x", "date": "2020-01-01"}\n'


def drop(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(ROW)


def test_what_lies_in_the_inbox_and_is_not_read_is_named_up_to_five_times(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config = make_config(tmp_path)
    inbox = Path(config.inference.inbox)
    assert unread_in_inbox(config) == []
    drop(inbox, "a.json", "user.json", ".hidden.zip", "_SUCCESS")
    (inbox / "empty").mkdir()
    assert unread_in_inbox(config) == []
    drop(inbox, "1.zip", "2.xlsx", "3.txt", "4.json.bak", "archive/old.txt")
    [said] = unread_in_inbox(config)
    assert_names(said, inbox, 5, "1.zip", "2.xlsx", "3.txt", "4.json.bak", "archive/", ".json", ".parquet")
    drop(inbox, "0.zip")
    [said] = unread_in_inbox(config)
    assert_names(said, 6, "0.zip", "4.json.bak", "...")
    assert not names(said, "archive/")


def test_a_raw_file_that_no_pattern_fits_is_named_with_the_pattern(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config = make_config(tmp_path)
    drop(Path(config.dataset.raw_dir), "review.json", "user.json", "business.json", "tip.json", "notes.docx")
    ending, name = unread_in_raw_dir(config)
    assert_names(ending, 1, "notes.docx")
    assert_names(name, 1, "tip.json", "dataset.messages.files=*review*")


def test_of_many_files_that_cannot_be_used_the_first_are_told_and_the_rest_counted(warnings: list[str]) -> None:
    log_set_aside([SetAside(f"{number}.json", f"{number}.json: cannot be read.") for number in range(23)])
    assert_names(warnings[19], "19.json: cannot be read.")
    assert len(warnings) == 21
    assert_names(warnings[20], 3, "20.json", "21.json", "22.json")


@pytest.mark.parametrize(("setting", "check"), [("inference.inbox", check_inbox), ("dataset.raw_dir", check_raw_dir)])
def test_a_folder_that_was_set_must_exist(
    tmp_path: Path, make_config: Callable[..., Config], setting: str, check: Callable[[Config], None]
) -> None:
    check(make_config(tmp_path))  # the default one comes with the first file
    folder = tmp_path / "share"
    config = make_config(tmp_path, f"{setting}={folder}")
    with refusal(DataError, f"{setting}={folder}"):
        check(config)
    folder.touch()
    with refusal(DataError, f"{setting}={folder}"):
        check(config)
    folder.unlink()
    folder.mkdir()
    check(config)
