from __future__ import annotations

from pathlib import Path

import pytest

from batch_nlp.steps.embedding.shared_tables import take_tables


def test_tables_that_are_missing_are_copied_and_nothing_else(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    take_tables(theirs, ours)
    assert not ours.exists()
    theirs.mkdir()
    for name in ("static-a.safetensors", "static-b.safetensors", ".static-c.safetensors", "vectors-a.sqlite"):
        (theirs / name).write_text("theirs")
    ours.mkdir()
    (ours / "static-b.safetensors").write_text("ours")
    take_tables(theirs, ours)
    assert {path.name: path.read_text() for path in ours.iterdir()} == {
        "static-a.safetensors": "theirs",
        "static-b.safetensors": "ours",
    }


def test_a_table_that_must_not_be_read_is_made_as_if_it_were_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("no")

    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "static-a.safetensors").touch()
    monkeypatch.setattr("shutil.copyfile", refused)
    take_tables(tmp_path / "theirs", tmp_path / "ours")
    assert [*(tmp_path / "ours").iterdir()] == []
