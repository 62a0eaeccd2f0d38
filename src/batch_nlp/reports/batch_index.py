"""The page that shows the newest batches over time; it leads to the pages of the months."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batch_nlp import __version__
from batch_nlp.reports.advice import headline
from batch_nlp.reports.documents import HOME, f1_on_hold_out, json_value
from batch_nlp.reports.months import month_pages
from batch_nlp.reports.pages import percent_short, render
from batch_nlp.reports.timeline import TimelineEntry, main_classes, timeline
from batch_nlp.reports.trend_charts import Trend, event_chart, trend_chart
from batch_nlp.storage.atomic import write_text

INDEX_FILE = "index.html"
# Batches that the index shows; the pages of the months list all
NEWEST = 100
_BAND = {"low": 0.1, "high": 0.9, "confidence": 0.95}


def write_index(
    folder: Path,
    reports: Sequence[Mapping[str, Any]],
    realised: Mapping[str, float],
    champions: Sequence[Mapping[str, Any]],
    decisions: Sequence[Mapping[str, Any]],
) -> None:
    """Write the page that shows the newest batches over time, unless it shows the same facts already.

    A run that finds nothing new then neither draws nor imports what draws.

    Parameters
    ----------
    folder : Path
        ``08_reporting/batches``.
    reports : sequence of mappings
        From `read_reports`.
    realised : mapping of str to float
        Macro F1 by the name of the batch, where labels have come.
    champions : sequence of mappings
        From `champion_history`.
    decisions : sequence of mappings
        The decision log, oldest first: its gates and rollbacks are marked.
    """
    champions, months = json_value(champions), month_pages(folder)
    # the log also has runs that find nothing new
    events = [decision for decision in decisions if decision.get("decision") in ("gate", "rollback")]
    shown = [__version__, list(reports), dict(realised), champions, events, months]
    facts = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
    path = folder / INDEX_FILE
    if path.exists() and facts in path.read_text(encoding="utf-8"):
        return
    # the dataset of the newest batch comes first
    datasets = list(dict.fromkeys(str(report.get("dataset")) for report in reversed(reports)))
    sections = []
    for dataset in datasets:
        own = [report for report in reports if str(report.get("dataset")) == dataset]
        made = [decision for decision in events if decision.get("dataset") == dataset]
        sections.append(_section(dataset, timeline(own, realised, made), champions))
    values = {"sections": sections, "champions": champions, "months": months, "facts": facts, "home": HOME}
    write_text(path, render("batches.html", **values))


def _section(dataset: str, line: Sequence[TimelineEntry], champions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the index shows of a dataset."""
    band, on_hold_out = line[-1].document.get("band") or _BAND, f1_on_hold_out(champions)
    classes = main_classes(line)
    trends = [_share_trend(line, name, band) for name in classes]
    confidence = [entry.compared("confidence") for entry in line]
    trends.append(
        Trend("Confidence", [own for own, _ in confidence], percent_short, hold_out=[held for _, held in confidence])
    )
    trends.append(
        Trend(
            "Macro F1",
            [entry.estimated_f1 for entry in line],
            lambda value: f"{value:.3f}",
            hold_out=[on_hold_out.get(entry.document.get("model_version", "")) for entry in line],
            measured=[entry.realised for entry in line],
        )
    )
    known = [trend for trend in trends if any(value is not None for value in (*trend.values, *trend.measured))]
    charts = [trend_chart(f"{dataset}-{number}", line, trend) for number, trend in enumerate(known)]
    events = event_chart(f"{dataset}-events", line)
    newest = list(reversed(line))
    return {
        "dataset": dataset,
        "alarms": sum("alarm" in entry.events for entry in line),
        "promoted": sum("promoted" in entry.events for entry in line),
        "band": band,
        "charts": [*charts, *([events] if events else [])],
        "more": len({name for entry in line for name in entry.shares}) - len(classes),
        "rows": newest,
        "headlines": [headline(entry.document) for entry in newest],
    }


def _share_trend(line: Sequence[TimelineEntry], name: str, band: Mapping[str, Any]) -> Trend:
    """Return the share of a class, or of a parent in a hierarchy."""
    found = [entry.shares.get(name) for entry in line]
    low, high = (band.get("of") or {}).get(name, (band["low"], band["high"]))
    return Trend(
        name,
        [share["share"] if share else None for share in found],
        percent_short,
        [(share["lower"], share["upper"]) if share else None for share in found],
        [bool(share and share["out"]) for share in found],
        None if low is None else (low, high),
    )
