"""What verification found, on one screen."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from batch_nlp.errors import count, printable
from batch_nlp.log import wrapped
from batch_nlp.storage.problem import Problem, Severity

_NAME, _WIDTH = 12, 80
# Problems that the screen shows; the file has all
_SHOWN = 20
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@dataclass
class Part:
    """A part of the state, what was checked of it, with counts, and what is wrong with it."""

    name: str
    checked: str
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """What a person must act on."""
        return [found for found in self.problems if found.severity is Severity.ERROR]


@dataclass(frozen=True)
class Outcome:
    """What verification found, and what it repaired.

    `working` is the process of a run that worked meanwhile: 0 if it has ended, None if there was none.
    """

    dataset: str
    at: datetime
    parts: list[Part]
    repaired: list[str]
    working: int | None

    @property
    def errors(self) -> list[Problem]:
        """What a person must act on."""
        return [found for part in self.parts for found in part.errors]

    def problems(self) -> list[tuple[str, Problem]]:
        """Return the name of the part and the problem, errors first."""
        found = [(part.name, problem) for part in self.parts for problem in part.problems]
        return sorted(found, key=lambda one: one[1].severity is not Severity.ERROR)

    def facts(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "dataset": self.dataset,
            "at": self.at.isoformat(),
            "sound": not self.errors,
            "run_at_work": self.working is not None,
            "parts": {part.name: {"checked": part.checked, "findings": len(part.problems)} for part in self.parts},
            "findings": [_facts(name, problem) for name, problem in self.problems()],
            "repaired": self.repaired,
        }


def _facts(part: str, problem: Problem) -> dict[str, Any]:
    return {
        "part": part,
        "path": str(problem.path),
        "problem": problem.what,
        "action": problem.action,
        "severity": problem.severity.value,
        "repairable": problem.repair is not None,
    }


def show(outcome: Outcome) -> None:
    """Print what was found to standard output."""
    console = Console()
    for line in _lines(outcome):
        console.print(line, soft_wrap=True)


def _lines(outcome: Outcome) -> list[Text]:
    lines = [Text(f"batch-nlp, dataset {outcome.dataset}, {outcome.at:%Y-%m-%d %H:%M} UTC", style="bold"), Text()]
    if outcome.working is not None:
        who = f"A run, process {outcome.working}, is working" if outcome.working else "A run worked meanwhile"
        text = f"{who}: its unfinished work is not judged. Run verify again when it has ended."
        lines += [*(Text(line, style="yellow") for line in textwrap.wrap(text, _WIDTH)), Text()]
    for part in outcome.parts:
        state, colour = _state(part)
        first, *rest = textwrap.wrap(printable(part.checked, None, " "), _WIDTH - 2 * _NAME) or [""]
        lines.append(Text.assemble((f"{part.name:<{_NAME}}", "cyan"), (f"{state:<{_NAME}}", colour), first))
        lines += [Text(" " * 2 * _NAME + more) for more in rest]
    if outcome.repaired:
        lines += [Text(), Text("Repaired", style="bold")]
        lines += [Text(f"- {printable(done, None, ' ')}") for done in outcome.repaired[:_SHOWN]]
    problems = outcome.problems()
    for _, problem in problems[:_SHOWN]:
        headline = f"{problem.severity.value}: {printable(problem.path, None, ' ')}"
        lines += [Text(), Text(headline, _COLOURS[problem.severity])]
        for text in (f"{problem.what[:1].upper()}{problem.what[1:]}.", problem.action):
            lines += [Text(line) for line in wrapped(text, _WIDTH, "  ", "  ")]
    if (hidden := len(problems) - _SHOWN) > 0:
        lines += [Text(), Text(f"... and {hidden:,} more: verify.report=true writes all of them to a file.")]
    return lines


def _state(part: Part) -> tuple[str, str]:
    if part.errors:
        return count(len(part.errors), "error"), "red"
    return (count(len(part.problems), "warning"), "yellow") if part.problems else ("ok", "green")
