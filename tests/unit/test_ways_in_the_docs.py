"""The way of a text and of a label in docs/architecture.md: modules that exist, at most twelve for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## The way of a text and of a label\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in SECTION.splitlines() if line.startswith("| `")
]


@pytest.mark.parametrize("way", [1, 2])
def test_a_way_has_at_most_twelve_modules(way: int) -> None:
    assert 8 <= len([row for row in ROWS if row[way]]) <= 12


def test_each_module_exists_and_is_visited_once() -> None:
    modules = [re.match(r"`([\w/]+\.py)`", row[0]) for row in ROWS]
    paths = [found[1] for found in modules if found]
    assert len(paths) == len(set(paths)) == len(ROWS)
    assert not [path for path in paths if not (ROOT / "src" / "batch_nlp" / path).is_file()]
