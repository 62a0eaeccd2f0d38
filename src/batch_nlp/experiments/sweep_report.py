"""A sweep's ranking for a person: on the terminal, as Markdown, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path

from rich.markup import escape as escape_markup
from rich.table import Table

from batch_nlp.experiments.job_result import persist
from batch_nlp.experiments.ranking import Ranking
from batch_nlp.experiments.sweep_charts import figures
from batch_nlp.log import console
from batch_nlp.reports.pages import render

_FAILURES = ("job", "exit code", "settings", "reason")


def show(ranking: Ranking) -> None:
    """Print the ranked table, best first, and after it what failed."""
    if ranking.experiments:
        title = f"sweep {ranking.name}" + (f", by {ranking.metric}" if ranking.metric else "")
        _print(title, ranking.headings(), ranking.rows(), "")
    if ranking.failures():
        _print("failed", _FAILURES, ranking.failures(), "red")


def _print(title: str, headings: list[str] | tuple[str, ...], rows: list[list[str]], style: str) -> None:
    table = Table(title=escape_markup(title), title_justify="left", style=style)
    for heading in headings:
        table.add_column(escape_markup(heading), overflow="fold")
    for row in rows:
        table.add_row(*(escape_markup(cell) for cell in row))
    console.print(table, highlight=False)


def write_reports(ranking: Ranking, folder: Path) -> Path:
    """Write the ranking to ``<sweep>.json``, ``.md`` and ``.html`` in a folder, and return the page's path."""
    page = folder / f"{ranking.name}.html"
    figures = json.dumps(ranking.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    persist(folder / f"{ranking.name}.json", figures + "\n")
    persist(folder / f"{ranking.name}.md", markdown(ranking))
    persist(page, sweep_page(ranking))
    return page


def markdown(ranking: Ranking) -> str:
    """Return the ranking in Markdown."""
    return _rendered("sweep.md", ranking)


def sweep_page(ranking: Ranking) -> str:
    """Return the page, which needs nothing else: the ranked table, the figures, and what failed."""
    return _rendered("sweep.html", ranking, title=f"Sweep {ranking.name}", figures=figures(ranking))


def _rendered(template: str, ranking: Ranking, **values: object) -> str:
    return render(template, ranking=ranking, failure_headings=_FAILURES, **values)
