"""The schema of the messages is data: no module names a column or a table of a dataset that comes with the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT
from tests.projects import DATASETS

SOURCE = ROOT / "src" / "batch_nlp"
# where a source's own steps, and the generators of messages in its format, are at home
AT_HOME = ("steps/sources", "sample")
# Words of a source that are plain English, or Python's and pandas', and mean something else here
PLAIN = {
    "brand", "business", "categories", "category", "company", "created_at", "date", "description", "details",
    "feature", "fit", "friends", "image", "issue", "name", "product", "rank", "state", "tags", "text", "title", "user",
}  # fmt: skip
# Examples in comments and messages that tell a user how a setting is written
EXAMPLES = {
    "config/data.py": {"inbound"},
    "dataset/where.py": {"inbound"},
}


def _words(dataset: dict[str, Any]) -> Iterator[str]:
    yield from dataset.get("messages", {}).get("columns", {})
    yield from dataset.get("forbidden", [])
    label = dataset.get("label", {}).get("column")
    yield from [label] if isinstance(label, str) else label or []
    for table in dataset.get("side_tables", []):
        yield from (table["name"], table["key"], *table["columns"])


def words() -> dict[str, str]:
    """Return the words of the sources, each with a file that has it."""
    files = [ROOT / "conf" / "dataset" / f"{name}.yaml" for name in DATASETS]
    return {word: file.name for file in files for word in _words(yaml.safe_load(file.read_text()))}


def modules() -> list[Path]:
    found = (path for ending in ("py", "html", "md") for path in SOURCE.rglob(f"*.{ending}"))
    return sorted(path for path in found if not path.relative_to(SOURCE).as_posix().startswith(AT_HOME))


def named(path: Path, wanted: set[str]) -> list[str]:
    """Return the words that a file names, with their lines."""
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(wanted)))})(?![\w-])")
    lines = path.read_text().splitlines()
    return [f"{path}:{number}: {found[0]}" for number, line in enumerate(lines, 1) for found in pattern.finditer(line)]


def test_no_module_outside_a_sources_own_steps_and_samples_names_its_columns() -> None:
    wanted = set(words()) - PLAIN
    assert {"review_id", "elite", "stars", "asin", "complaint_what_happened", "airline_sentiment", "inbound"} <= wanted
    found = [
        line
        for path in modules()
        for line in named(path, wanted - EXAMPLES.get(path.relative_to(SOURCE).as_posix(), set()))
    ]
    assert not found, "words of a source:\n" + "\n".join(found)


def test_the_steps_of_a_source_have_its_words() -> None:
    """The search above finds what is there."""
    assert named(SOURCE / "steps" / "sources" / "yelp.py", {"user_elite", "business_categories"})


@pytest.mark.parametrize("word", sorted(PLAIN))
def test_what_is_left_out_is_a_word_of_a_source(word: str) -> None:
    assert word in words(), f"take {word} out of the list"
