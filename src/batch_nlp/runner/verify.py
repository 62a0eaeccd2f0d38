"""The stage `verify`: checks everything that runs keep on disk, and repairs what can be repaired.

It reads without the lock, so that it can look while a run works. To repair, the command line takes the lock.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from loguru import logger
from rich.text import Text

from batch_nlp.errors import DataError, count, printable
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.places import check_places
from batch_nlp.runner.screen import Screen
from batch_nlp.runner.verify_parts import Part, check_parts
from batch_nlp.storage.atomic import write_json
from batch_nlp.storage.lock import lock_holder
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import UNREADABLE, Problem, Severity

REPORT_FILE = "verify.json"
# Problems that the screen shows; the file has all
_SHOWN = 20
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def verify(run: RunContext) -> None:
    """Check everything and show what was found; with ``verify.repair``, first repair what is safe to repair.

    Raises a `DataError` if data or models are not where they should be, and at the end, if something is wrong.
    """
    check_places(run.config)
    settings = run.config.verify
    holder, traces = _holder(run), _traces(run)
    parts, repaired, working = check_parts(run), list[str](), None
    if settings.repair:
        if repaired := _repair(parts, Orphans(run.layers.root, run.name)):
            parts = check_parts(run)
    else:
        ended = holder is not None or _traces(run) != traces
        working = _holder(run) or (0 if ended else None)
    if working is not None:
        parts = [replace(part, problems=[found for found in part.problems if not found.transient]) for part in parts]
    findings = [(part.name, problem) for part in parts for problem in part.problems]
    findings.sort(key=lambda one: one[1].severity is not Severity.ERROR)
    errors = [problem for _, problem in findings if problem.severity is Severity.ERROR]
    _show(run, parts, [problem for _, problem in findings], repaired, working)
    if settings.repair or settings.report:
        path = run.layers.reporting / REPORT_FILE
        document = {
            "dataset": run.config.dataset.name,
            "at": run.now.isoformat(),
            "sound": not errors,
            "run_at_work": working is not None,
            "parts": {part.name: {"checked": part.checked, "findings": len(part.problems)} for part in parts},
            "findings": [
                {
                    "part": name,
                    "path": str(problem.path),
                    "problem": problem.what,
                    "action": problem.action,
                    "severity": problem.severity.value,
                    "repairable": problem.repair is not None,
                }
                for name, problem in findings
            ],
            "repaired": repaired,
        }
        write_json(path, document)
        logger.info("Verify: all problems are in {}", path)
    if errors:
        first = ", the first of them" if len(errors) > 1 else ""
        raise DataError(f"The state is not sound: {count(len(errors), 'error')}{first}: {errors[0]}")


def _show(
    run: RunContext, parts: Sequence[Part], problems: Sequence[Problem], repaired: Sequence[str], working: int | None
) -> None:
    """Print what was found; `working` is the process of another run, 0 for one that has ended, None without one."""
    screen = Screen(run.config.dataset.name, run.now)
    if working is not None:
        who = f"A run, process {working}, is working" if working else "A run worked meanwhile"
        screen.paragraph(f"{who}: its unfinished work is not judged. Run verify again when it has ended.", "yellow")
        screen.add(Text())
    for part in parts:
        state, colour = "ok", "green"
        for severity in (Severity.WARNING, Severity.ERROR):
            if number := sum(found.severity is severity for found in part.problems):
                state, colour = count(number, severity.value), _COLOURS[severity]
        screen.fact(part.name, part.checked, state, colour)
    if repaired:
        screen.add(Text(), Text("Repaired", style="bold"))
        for done in repaired[:_SHOWN]:
            screen.paragraph(done, first="- ", rest="  ")
    for problem in problems[:_SHOWN]:
        headline = f"{problem.severity.value}: {printable(problem.path, None, ' ')}"
        screen.add(Text(), Text(headline, _COLOURS[problem.severity]))
        for text in (f"{problem.what[:1].upper()}{problem.what[1:]}.", problem.action):
            screen.paragraph(text, first="  ", rest="  ")
    if (hidden := len(problems) - _SHOWN) > 0:
        screen.add(Text(), Text(f"... and {hidden:,} more: verify.report=true writes all of them to a file."))
    screen.show()


def _repair(parts: Sequence[Part], orphans: Orphans) -> list[str]:
    """Repair what can be repaired, and return what was done."""
    repaired = []
    for problem in (problem for part in parts for problem in part.problems):
        if problem.repair is None:
            continue
        try:
            repaired.append(f"{problem.path}: {problem.repair(orphans)}")
        except UNREADABLE as error:  # what a repair needs may be damaged itself; other repairs go on
            logger.warning("{} could not be repaired: {}", problem.path, error)
        else:
            logger.info("Verify: {}", repaired[-1])
    return repaired


def _traces(run: RunContext) -> list[int]:
    """Return when each lock was last taken: a run that began and ended meanwhile leaves that trace."""
    locks = [folder / ".lock" for folder in (run.layers.root, run.registry.root)]
    return [lock.stat().st_mtime_ns if lock.exists() else 0 for lock in locks]


def _holder(run: RunContext) -> int | None:
    """Return the process of another run that works, None if there is none."""
    holders = {lock_holder(folder) for folder in (run.layers.root, run.registry.root)} - {None, os.getpid()}
    return next(iter(holders), None)
