"""A page for each month that names its batches; a line of the page is a batch, so that no report is read again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from batch_nlp.reports.documents import HOME
from batch_nlp.reports.pages import environment, render
from batch_nlp.reports.timeline import moments
from batch_nlp.storage.atomic import write_text

_ROW = re.compile(r'^<tr data-batch="([^"]+)">.*</tr>$', re.MULTILINE)
# a batch's name starts with its time
_MONTH = re.compile(r"(\d{4})(\d\d)\d\dT")
_PAGE = "month-{}.html"


def month_pages(folder: Path) -> list[str]:
    """Return the names of the pages, the newest month first."""
    return sorted((path.name for path in folder.glob(_PAGE.format("*"))), reverse=True)


def month_page(batch: str) -> str | None:
    """Return the name of the page that names a batch; None for a batch whose name tells no time."""
    found = _MONTH.match(batch)
    return _PAGE.format(f"{found[1]}-{found[2]}") if found else None


def add_to_months(folder: Path, reports: Iterable[Mapping[str, Any]]) -> None:
    """Enter batches, documents as `read_reports` returns them, into the pages of their months."""
    reports = list(reports)
    before = {page: _rows(folder / page) for page in {month_page(str(report["name"])) for report in reports} if page}
    rows = {page: dict(found) for page, found in before.items()}
    template = environment().get_template("month_row.html")
    for place, moment in enumerate(moments(reports, {}, []), start=1):
        page = month_page(moment.name)
        # of a batch that is new, or the newest, whose answer may have come
        if page and (moment.name not in rows[page] or place == len(reports)):
            rows[page][moment.name] = " ".join(template.render(row=moment).split())
    for page, found in rows.items():
        _write(folder / page, before[page], found)


def remove_from_months(folder: Path) -> None:
    """Take out the batches whose reports are gone, and remove the pages that name none any more."""
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
        # escaped when they were drawn
        lines = [Markup(rows[name]) for name in sorted(rows, reverse=True)]  # noqa: S704 # nosec B704
        month = path.stem.partition("-")[2]
        write_text(path, render("month.html", month=month, rows=lines, home=HOME))
