"""Rows as tables in Markdown, and the part of a page that they go to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.cases import PRODUCT, SECOND_RUN
from benchmarks.embeddings import ROUNDS
from benchmarks.machine import in_words
from benchmarks.measure import Row

BEGIN, END = "<!-- begin generated -->", "<!-- end generated -->"
PLOTS = {
    "performance-speed.svg": "Messages a second against the number of messages",
    "performance-memory.svg": "Peak memory against the number of messages",
}


def between_markers(page: str, generated: str) -> str:
    """Return a page with the part between its markers replaced.

    Raises
    ------
    ValueError
        If the page does not have each marker once, the first one first.

    Examples
    --------
    >>> between_markers(f"a {BEGIN} old {END} b", "new").split()
    ['a', '<!--', 'begin', 'generated', '-->', 'new', '<!--', 'end', 'generated', '-->', 'b']
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"The page needs one line {BEGIN} and, below it, one line {END}.")
    return f"{page.partition(BEGIN)[0]}{BEGIN}\n\n{generated.strip()}\n\n{END}{page.partition(END)[2]}"


def cost(row: Row, other: Row) -> float | None:
    """Return the ratio of a row's time per message to that of another row; None if one failed."""
    return other.per_second / row.per_second if row.per_second and other.per_second else None


def generated_part(machine: dict[str, Any], rows: Sequence[Row]) -> str:
    """Return the generated part of the page, as Markdown."""
    parts = [f"Measured on: {in_words(machine)}"]
    parts += [f"![{text}](images/{name})" for name, text in PLOTS.items()]
    growth = growth_table(rows)
    if growth:
        parts += ["### Growth", growth]
    for workload in dict.fromkeys(row.workload for row in rows):
        found = [row for row in rows if row.workload == workload]
        title = f"{workload} messages"
        if not workload[0].isdigit():
            title = f"A real data set, {found[0].messages:,} messages"
        parts += [f"### {title}", stage_table(found)]
        backends = [entry for row in found for entry in row.facts.get("backends", [])]
        if backends:
            parts += [
                f"Embedding backends on some of these texts, each {ROUNDS} times in turn (medians):",
                facts_table(backends),
            ]
    return "\n\n".join(parts)


def stage_table(rows: Sequence[Row]) -> str:
    """Return the table of a workload: a line for each contender, compared with this project's."""
    lines = []
    for row in rows:
        if "backends" in row.facts:  # they have a table of their own
            continue
        product = next((one for one in rows if one.stage == row.stage and one.kind == "product"), row)
        name = f"**{row.contender}**" if row.kind == "product" else row.contender
        if row.kind == "limit":
            name = f"*limit: {row.contender}*"
        if row.error:
            lines.append([row.stage, name, "", f"failed: {_one_line(row.error)}", "", "", "", "", ""])
            continue
        lines.append(
            [
                row.stage,
                name + (f" ({note})" if (note := _note(row)) else ""),
                str(row.rounds),
                _number(row.per_second),
                _number(row.seconds),
                _number(row.cpu_seconds),
                "" if row.kind == "limit" else _number(row.peak_rss_mib),
                "" if row.disk_mib is None else _number(row.disk_mib),
                _compared(row, product),
            ]
        )
    head = ["stage", "who", "runs", "messages/s", "seconds", "CPU s", "peak RSS, MiB", "on disk, MiB", "batch-nlp"]
    return table(head, lines)


def growth_table(rows: Sequence[Row]) -> str:
    """Return how seconds and memory of the two pipelines grow with generated messages; empty for a single size."""
    lines = []
    for stage in ("feature pipeline", "inference"):
        found = [row for row in rows if row.stage == stage and row.contender == PRODUCT and row.workload != "real"]
        found = sorted((row for row in found if not row.error), key=lambda row: row.messages)
        for smaller, row in zip([None, *found], found, strict=False):
            second = next(
                (one for one in rows if one.contender == SECOND_RUN and one.workload == row.workload and not one.error),
                None,
            )
            lines.append(
                [
                    stage,
                    f"{row.messages:,}",
                    _number(row.seconds),
                    "" if smaller is None else f"{row.seconds / smaller.seconds:.2f}",
                    "" if smaller is None else f"{row.messages / smaller.messages:.2f}",
                    _number(row.peak_rss_mib),
                    "" if smaller is None else f"{row.peak_rss_mib / smaller.peak_rss_mib:.2f}",
                    f"{second.seconds / row.seconds:.1%}" if second and stage == "feature pipeline" else "",
                ]
            )
    if len({line[1] for line in lines}) < 2:
        return ""
    head = ["pipeline", "messages", "seconds", "x the one above", "messages x", "peak RSS, MiB", "x the one above"]
    return table([*head, "second run, 1 % new"], lines)


def facts_table(entries: Sequence[dict[str, Any]]) -> str:
    """Return a table of entries that have the same keys, which are its head."""
    lines = [[_cell(name, value) for name, value in one.items()] for one in entries]
    return table([name.replace("_", " ") for name in entries[0]], lines)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; all but the first two columns stand on the right."""
    rule = ["---" if place < 2 else "---:" for place in range(len(head))]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in (head, rule, *lines))
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _note(row: Row) -> str:
    parts = [row.note] if row.note else []
    if row.done < 0.9 * row.messages and row.contender != SECOND_RUN:
        parts.append(f"measured on {row.done:,}")
    return "; ".join(parts)


def _compared(row: Row, product: Row) -> str:
    if row is product or row.kind == "product":
        return ""
    times = cost(product, row)
    if times is None:
        return ""
    return f"{_number(times)} x its time" if row.kind == "limit" else f"{_number(1 / times)} x as fast"


def _number(value: float) -> str:
    """Return three digits, or all before the point.

    Examples
    --------
    >>> [_number(value) for value in (12345.6, 12.34, 0.01234, 0.0)]
    ['12,346', '12.3', '0.0123', '0']
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return "-" if value is None else str(value)
    # cosines near 1 are told apart by their later digits
    return f"{value:.4f}" if name.startswith("cosine") else _number(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())[-300:]
