"""Every error that the source can raise is quoted by a test: a new one without a test fails here, by its place.

Three words in a row are what is asked, so this does not show that a test is good; it shows where there is none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import ROOT

ERRORS = {"SettingsError", "DataError", "GateError", "DriftError", "LockedError", "AccountingError"}
# Words in a row that a test must quote of a message; of a message that has fewer between its values, all
WORDS = 3
# Not raised for a user: what Hydra or OmegaConf say is passed on in their words
# Guards of what cannot happen are no words for a user either
PASSED_ON = {
    "storage/requeued.py: f'{file}: {found.rows:,} rows, {found.requeued:,} put back and {found.stay:,} left'",
    "config/refusals.py: str(error).strip()",
    "config/refusals.py: f'{key}: {reason}' if key else reason",
}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9_]+", text.lower())


def phrases(pieces: list[str]) -> set[tuple[str, ...]]:
    """Return what of a message's own words a test may quote."""
    found = [words(piece) for piece in pieces]
    longest = min(WORDS, max(map(len, found), default=0))
    return {tuple(some[i : i + longest]) for some in found for i in range(len(some) - longest + 1)} - {()}


def constants(node: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def raised() -> Iterator[tuple[str, str, list[str]]]:
    """Return file, line and own words of each error that is made in the source."""
    for path in sorted((ROOT / "src" / "batch_nlp").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS and node.args:
                place = str(path.relative_to(ROOT / "src" / "batch_nlp"))
                if f"{place}: {ast.unparse(node.args[0])}" not in PASSED_ON and phrases(constants(node.args[0])):
                    yield place, f"{place}:{node.lineno}", constants(node.args[0])


@pytest.fixture(scope="module")
def quoted() -> set[tuple[str, ...]]:
    """Return all that the tests quote, this file left out, as words in a row."""
    found: set[tuple[str, ...]] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        if path == Path(__file__):
            continue
        for text in constants(ast.parse(path.read_text())):
            said = words(text.replace("\\", ""))
            found |= {tuple(said[i : i + n]) for n in range(1, WORDS + 1) for i in range(len(said) - n + 1)}
    return found


def test_each_error_is_quoted_by_a_test(quoted: set[tuple[str, ...]]) -> None:
    unread = [f"{line}: {' … '.join(pieces)}" for _, line, pieces in raised() if not phrases(pieces) & quoted]
    assert not unread, "errors that no test reads:\n" + "\n".join(unread)


def test_the_search_finds_the_errors_there_are() -> None:
    """The list is not empty for a wrong reason."""
    found = list(raised())
    assert len(found) > 100
    assert {"config/refusals.py", "storage/registry.py", "dataset/split.py"} <= {place for place, _, _ in found}
