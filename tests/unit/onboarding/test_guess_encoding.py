from __future__ import annotations

from pathlib import Path

import pytest
from tests.naming import assert_names

from batch_nlp.onboarding.guess_encoding import find_encoding


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("text\nfür".encode(), None),
        ("text\nfür".encode("utf-16"), None),
        ("text\nfür".encode("utf-16-le"), "utf-16-le"),
        ("text\nfür “uns”".encode("cp1252"), "cp1252"),
        ("text\nfür\x81".encode("latin-1"), "latin-1"),
        # a broken byte makes no other encoding of a file
        ("text\nfür uns, für euch".encode() + b"\xfc", None),
        (b"text\nfine", None),
    ],
)
def test_the_encoding_of_a_file(content: bytes, encoding: str | None, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    found, problems = find_encoding([file])
    assert found == encoding
    assert bool(problems) == (encoding is not None)
    assert all("'für'" in problem for problem in problems if encoding != "utf-16-le")


def test_files_that_one_setting_cannot_read_are_told(tmp_path: Path) -> None:
    for name, encoding in (("a.csv", "cp1252"), ("b.csv", "utf-8")):
        (tmp_path / name).write_text("text\nfür uns", encoding)
    found, [problem] = find_encoding([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert found is None
    assert_names(problem, "a.csv", "cp1252", "b.csv", "UTF-8")
