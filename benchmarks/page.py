"""The file of results and the page generated from it: ``python -m benchmarks.page FOLDER`` writes the page again."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import Row

RESULTS, PAGE = "performance.json", "performance.md"


def read_results(out: Path) -> tuple[dict[str, Any], list[Row]]:
    """Return the facts of the machine and the rows in a folder; empty if there are no results."""
    file = out / RESULTS
    if not file.exists():
        return {}, []
    results = json.loads(file.read_text())
    return results["machine"], [Row(**row) for row in results["rows"]]


def write_results(out: Path, machine: dict[str, Any], rows: Sequence[Row]) -> None:
    """Write the machine's facts and the rows to a folder."""
    out.mkdir(parents=True, exist_ok=True)
    results = {"machine": machine, "rows": [row.to_dict() for row in rows]}
    (out / RESULTS).write_text(json.dumps(results, indent=1) + "\n")


def write_page(out: Path) -> None:
    """Write the plots and the generated part of the page; a missing page consists of that part alone."""
    from benchmarks.plots import memory_svg, speed_svg
    from benchmarks.tables import BEGIN, END, between_markers, generated_part

    machine, rows = read_results(out)
    images = out / "images"
    images.mkdir(exist_ok=True)
    (images / "performance-speed.svg").write_text(speed_svg(rows))
    (images / "performance-memory.svg").write_text(memory_svg(rows))
    page = out / PAGE
    before = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    page.write_text(between_markers(before, generated_part(machine, rows)))


if __name__ == "__main__":
    write_page(Path(sys.argv[1]))
