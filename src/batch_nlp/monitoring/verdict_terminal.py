"""What a person sees of a verdict on the terminal and in the log."""

from __future__ import annotations

from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from batch_nlp.config import DriftRule
from batch_nlp.errors import printable
from batch_nlp.log import console, relative
from batch_nlp.monitoring.findings import Analysis, Status, Verdict
from batch_nlp.reports.documents import classes_to_show

COLOURS = {Status.OK: "green", Status.DRIFT: "red", Status.INSUFFICIENT: "yellow", Status.SKIPPED: "cyan"}


def show_verdict(
    batch: str | None, verdict: Verdict, action: str, confidence: float, analysis: Analysis | None = None
) -> None:
    """Print a small table of the shares, in a hierarchy those of the parents first, with the verdict and what follows.

    `verdict` is that on the batch alone. The analysis adds at most three lines: the window's verdict, the findings of
    other rules than ``share``, and the explanation with the estimated performance.
    """
    if verdict.shares:
        table = Table("class", title=f"batch {batch}", title_justify="left")
        for name in ("messages", "share", f"{confidence:.0%} interval", ""):
            table.add_column(name, justify="right")
        shown = classes_to_show([asdict(share) for share in verdict.shares])
        for share in [*map(asdict, verdict.parents), *shown]:
            interval = f"{share['lower']:.1%} - {share['upper']:.1%}"
            mark = "[red]out[/]" if share["out"] else "in"
            table.add_row(_plain(share["name"]), f"{share['messages']:,}", f"{share['share']:.1%}", interval, mark)
        if more := len(verdict.shares) - len(shown):
            table.add_row(f"and {more} more")
        console.print(table, highlight=False)
    lines = [f"verdict {_coloured(verdict)}: {_plain(verdict.reason)} · action: {action}"]
    if analysis is not None:
        lines += [_window(analysis), _rules(verdict), _explanation(analysis)]
    for line in filter(None, lines):
        console.print(line, highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Return text, which may quote labels of files, without what a terminal would act on, and without markup."""
    return escape(printable(relative(text), None, " "))


def _coloured(verdict: Verdict) -> str:
    return f"[bold {COLOURS[verdict.status]}]{verdict.status}[/]"


def _window(analysis: Analysis) -> str:
    window = analysis.window
    if window is None:
        return ""
    return f"window of {len(analysis.window_batches)} batches {_coloured(window)}: {_plain(window.reason)}"


def _rules(verdict: Verdict) -> str:
    if all(finding.rule == DriftRule.share.value for finding in verdict.findings):
        return ""
    found = (
        f"{finding.rule} {'[red]triggers[/]' if finding.triggers else 'does not trigger'} ({_plain(finding.reason)})"
        for finding in verdict.findings
    )
    return "rules: " + " · ".join(found)


def _explanation(analysis: Analysis) -> str:
    parts = [_plain(analysis.explanation)] if analysis.explanation else []
    if analysis.estimated is not None:
        estimated = analysis.estimated
        parts.append(f"estimated macro F1 {estimated.f1_macro:.3f}, accuracy {estimated.accuracy:.3f}")
    return " · ".join(parts)
