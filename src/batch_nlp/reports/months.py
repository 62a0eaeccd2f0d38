"""One page per month that lists its batches.

A page keeps the line of each batch as it is, so older reports are not read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from batch_nlp.reports.documents import HOME
from batch_nlp.reports.pages import environment, render
from batch_nlp.reports.timeline import timeline
from batch_nlp.storage.atomic import write_text

_ROW = re.compile(r'^<tr data-batch="([^"]+)">.*</tr>$', re.MULTILINE)
# the name of a batch begins with its time
_MONTH = re.compile(r"(\d{4})(\d\d)\d\dT")
_PAGE = "month-{}.html"


def month_pages(folder: Path) -> list[str]:
    """Return the file names of the pages, newest month first."""
    return sorted((path.name for path in folder.glob(_PAGE.format("*"))), reverse=True)


def month_page(batch: str) -> str | None:
    """Return the page that lists a batch; None if the name of the batch has no time."""
    found = _MONTH.match(batch)
    return _PAGE.format(f"{found[1]}-{found[2]}") if found else None


def add_to_months(folder: Path, reports: Iterable[Mapping[str, Any]]) -> None:
    """Add batches, given as documents from `read_reports`, to the pages of their months."""
    reports = list(reports)
    before = {page: _rows(folder / page) for page in {month_page(str(report["name"])) for report in reports} if page}
    rows = {page: dict(found) for page, found in before.items()}
    template = environment().get_template("month_row.html")
    for place, entry in enumerate(timeline(reports, {}, []), start=1):
        page = month_page(entry.name)
        # add new batches, and update the newest one, whose response may have ended since
        if page and (entry.name not in rows[page] or place == len(reports)):
            rows[page][entry.name] = " ".join(template.render(row=entry).split())
    for page, found in rows.items():
        _write(folder / page, before[page], found)


def remove_from_months(folder: Path) -> None:
    """Remove the batches whose reports are gone, and the pages that are left empty."""
    there = {path.stem for path in folder.glob("[!.]*.html")}
    for page in month_pages(folder):
        rows = _rows(folder / page)
        _write(folder / page, rows, {name: row for name, row in rows.items() if name in there})


def _rows(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return {found[1]: found[0] for found in _ROW.finditer(text)}


def _write(path: Path, before: Mapping[str, str], rows: Mapping[str, str]) -> None:
    if not rows:
        path.unlink(missing_ok=True)
    elif rows != before:
        # each line was escaped when it was rendered
        lines = [Markup(rows[name]) for name in sorted(rows, reverse=True)]  # noqa: S704 # nosec B704
        month = path.stem.partition("-")[2]
        write_text(path, render("month.html", month=month, rows=lines, home=HOME))
