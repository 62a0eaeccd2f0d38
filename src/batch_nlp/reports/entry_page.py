"""The entry page: batches, models and experiments, each with its headline and a link to its page.

It is made from the heads of the pages and the decision log, so whatever writes a page can write the entry page after
it. Of thousands of batches, only the newest are opened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import quote

from batch_nlp.reports.documents import champion_history
from batch_nlp.reports.pages import render
from batch_nlp.storage.atomic import write_text

ENTRY_FILE = "index.html"
# Number of pages of a kind to list, and of batches, whose own index lists more
_MOST, _MOST_BATCHES = 20, 5
# The kinds of experiments, and where their pages are
_EXPERIMENTS = {
    "Sweeps": "experiments/*.html",
    "Learning curves": "learning_curve/*.html",
    "Simulations": "simulations/*/index.html",
    "Explanations": "explanations/*.html",
    "Mistakes of trained models": "training/*/mistakes.html",
}
# The time or the version in a name: the newer of two pages has the greater one
_TIME = re.compile(r"\d{8}T\d+|\d{4}-\d\d-\d\d.*|v\d+")
# The head of a page: its size, and where it has the title, the headline and the kind
_HEAD = 4096
_HEADS = (
    r"<title>(.*?)</title>",
    r'<meta name="description" content="(.*?)">',
    r'<meta name="keywords" content="(.*?)">',
)


@dataclass(frozen=True)
class Entry:
    """A page as the entry page lists it."""

    link: str
    title: str
    headline: str
    # a class of the style sheet: the status of a batch
    kind: str
    # of a model
    version: str
    # what distinguishes it from others of its kind; empty if the title does
    name: str

    @classmethod
    def of(cls, path: Path, folder: Path) -> Entry:
        """Read the head of a page; a page of an earlier release may have no headline."""
        with path.open("rb") as file:
            head = file.read(_HEAD).decode(errors="replace")
        title, headline, kind = (
            unescape(found[1]) if (found := re.search(pattern, head, re.DOTALL)) else "" for pattern in _HEADS
        )
        version = path.stem.partition("-")[0] if path.parent.name == "cards" else ""
        name = "" if version or _name(path) in title else _name(path)
        return cls(quote(path.relative_to(folder).as_posix()), title or path.stem, headline, kind, version, name)


def write_entry_page(folder: Path) -> None:
    """Write the entry page of ``08_reporting``, unless it shows the same already."""
    batches = folder / "batches"
    experiments = {name: _newest(folder.glob(pattern)) for name, pattern in _EXPERIMENTS.items()}
    page = render(
        "entry.html",
        # a batch is named for its time; the index and the months are not
        batches=[Entry.of(path, folder) for path in sorted(batches.glob("[0-9]*.html"), reverse=True)[:_MOST_BATCHES]],
        all_batches=(batches / "index.html").exists(),
        models=[Entry.of(path, folder) for path in _newest((folder / "cards").glob("*.html"))[:_MOST]],
        champion=_champion(folder / "decisions.jsonl"),
        experiments={
            name: {"entries": [Entry.of(path, folder) for path in paths[:_MOST]], "more": max(len(paths) - _MOST, 0)}
            for name, paths in experiments.items()
            if paths
        },
    )
    path = folder / ENTRY_FILE
    if not path.exists() or path.read_text(encoding="utf-8") != page:
        write_text(path, page)


def _name(path: Path) -> str:
    return path.parent.name if path.stem in ("index", "mistakes") else path.stem


def _newest(paths: Iterable[Path]) -> list[Path]:
    """Return pages, newest first by the times in their names."""

    def age(path: Path) -> tuple[str, str]:
        found = _TIME.search(_name(path))
        return found[0] if found else "", path.as_posix()

    return sorted(paths, key=age, reverse=True)


def _champion(log: Path) -> str | None:
    """Return the champion according to the decision log; unreadable lines are skipped."""
    decisions = []
    for line in log.read_bytes().splitlines() if log.exists() else ():
        with suppress(ValueError):
            decisions.append(json.loads(line))
    history = champion_history(decision for decision in decisions if isinstance(decision, dict))
    return history[-1]["version"] if history else None
