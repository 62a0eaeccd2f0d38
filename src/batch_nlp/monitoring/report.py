"""What a person sees of a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from batch_nlp.log import console
from batch_nlp.monitoring.verdict import Status, Verdict
from batch_nlp.storage.atomic import write_json

_COLOURS = {Status.OK: "green", Status.DRIFT: "red", Status.INSUFFICIENT: "yellow", Status.SKIPPED: "cyan"}


def show_verdict(batch: str | None, verdict: Verdict, action: str, confidence: float) -> None:
    """Print a small table of the shares, with the verdict and what follows."""
    colour = _COLOURS[verdict.status]
    if verdict.shares:
        table = Table("class", title=f"batch {batch}", title_justify="left")
        for name in ("messages", "share", f"{confidence:.0%} interval", ""):
            table.add_column(name, justify="right")
        for share in verdict.shares:
            interval = f"{share.lower:.1%} - {share.upper:.1%}"
            mark = "[red]out[/]" if share.out else "in"
            table.add_row(escape(share.name), f"{share.messages:,}", f"{share.share:.1%}", interval, mark)
        console.print(table, highlight=False)
    line = f"verdict [bold {colour}]{verdict.status}[/]: {escape(verdict.reason)} · action: {action}"
    console.print(line, highlight=False, soft_wrap=True)


def write_report(path: Path, batch: dict[str, Any], verdict: Verdict) -> None:
    """Write a batch's accounts, shares and verdict as JSON."""
    write_json(path, {**batch, "verdict": verdict.to_dict()})
