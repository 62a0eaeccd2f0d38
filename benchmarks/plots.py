"""Plots of speed and memory against the number of messages, as small, reproducible SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence

from benchmarks.cases import PRODUCT
from benchmarks.measure import Row

_LINES = (
    ("inference", PRODUCT, "inference, batch-nlp", "#2f6f9f", "-"),
    ("inference", "pandas, TF-IDF and XGBoost", "inference, pandas and scikit-learn", "#829ab1", "--"),
    ("inference", "pandas, SentenceTransformer.encode", "inference, pandas and SentenceTransformer", "#52606d", ":"),
    ("feature pipeline", PRODUCT, "feature pipeline, batch-nlp", "#b3651d", "-"),
    ("feature pipeline", "pandas: derived columns to parquet", "derived columns, pandas", "#d9a679", "--"),
)


def speed_svg(rows: Sequence[Row]) -> str:
    """Return messages per second against the number of messages."""
    return _figure(rows, "per_second", "messages per second", log=True)


def memory_svg(rows: Sequence[Row]) -> str:
    """Return the peak RSS against the number of messages, for contenders that completed all of them."""
    return _figure([row for row in rows if row.done >= 0.9 * row.messages], "peak_rss_mib", "peak RSS, MiB", log=False)


def _figure(rows: Sequence[Row], value: str, label: str, log: bool) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.4), layout="constrained")
    axes = figure.add_subplot()
    sizes = sorted({row.messages for row in rows if row.workload != "real"})
    for stage, contender, name, colour, style in _LINES:
        found = [row for row in rows if (row.stage, row.contender) == (stage, contender) and row.workload != "real"]
        points = sorted((row.messages, getattr(row, value)) for row in found if not row.error)
        if points:
            axes.plot(*zip(*points, strict=True), style, marker="o", markersize=4, color=colour, label=name)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    if log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel("messages")
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    buffer = io.StringIO()
    # the same results give the same figure, without time and random names; text stays text
    with mpl.rc_context({"svg.hashsalt": "performance", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    lines = (line.rstrip() for line in drawn[drawn.index("<svg") :].splitlines())
    return "\n".join(lines).replace("<svg", f'<svg role="img" aria-label="{label} against messages"', 1) + "\n"
