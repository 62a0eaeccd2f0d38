"""Checks of the decision log."""

from __future__ import annotations

import json

from batch_nlp.errors import DataError, count
from batch_nlp.inference.batch_records import Batch, BatchState
from batch_nlp.monitoring.archive import ARCHIVED
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.verify.finding import Part, file_and_problem


def check_decisions(run: RunContext, batches: list[Batch], part: Part) -> str:
    """Check that every line can be read, also in the archive, and that every batch that was judged has its decision."""
    path = run.layers.decisions
    archived, damaged = run.decisions.archived()
    for told in damaged:
        part.error(*file_and_problem(told, path.parent), "Restore it from a backup; no run works by it")
    lines, broken = 0, list[int]()
    apart = {found["batch"]: found.get("accounts") for found in archived if found["decision"] == "batch"}
    judged, moved = {name: accounts for name, accounts in apart.items() if name is not None}, 0
    if path.exists():
        with path.open("rb") as file:
            for lines, line in enumerate(file, start=1):
                try:
                    decision = json.loads(line)
                    if decision["decision"] == "batch" and decision["batch"] is not None:
                        judged[decision["batch"]] = decision.get("accounts")
                    moved += decision["totals"]["batches"] if decision["decision"] == ARCHIVED else 0
                except (ValueError, KeyError, TypeError):
                    broken.append(lines)
    try:
        run.decisions.read()
    except DataError as error:
        action = "The breaker, and so the next inference, refuses to work by it"
        part.error(*file_and_problem(str(error), path.parent), action)
    if broken:
        shown = ", ".join(map(str, broken[:5]))
        problem = f"{count(len(broken), 'line')} that cannot be read (number {shown})"
        action = "Nothing if a run was killed while it wrote, every reader passes over such a line; else see a backup"
        part.warn(path, problem, action, passing=True)
    for batch in batches:
        if batch.state not in {BatchState.JUDGED, BatchState.DONE}:
            continue
        if batch.name not in judged:
            if moved > len(apart):  # months of the archive may be deleted
                continue
            report = run.layers.batch_reports / f"{batch.name}.html"
            also = f". The verdict is also in {report}" if report.exists() else ""
            action = f"Restore the log from a backup: the breaker reads it{also}"
            part.error(path, f"no decision on batch {batch.name}, which was judged", action)
        elif judged[batch.name] != batch.accounts:
            problem = (
                f"the accounts of batch {batch.name} are {judged[batch.name]}, and its record says {batch.accounts}"
            )
            part.error(path, problem, "Restore the log or the record from a backup")
    return f"{count(lines, 'line')}, {count(len(judged), 'batch', 'batches')}"
