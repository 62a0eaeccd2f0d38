"""What verification found, on one screen."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from batch_nlp.errors import count, printable
from batch_nlp.log import wrapped
from batch_nlp.runner.verify.finding import Finding, Part, Severity

_NAME, _WIDTH = 12, 80
# Findings that the screen shows; the file has all
_SHOWN = 20
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@dataclass(frozen=True)
class Outcome:
    """What verification found, and what it mended.

    `working` is the process of a run that was at work meanwhile; 0 where it has ended, None where there was none.
    """

    dataset: str
    at: datetime
    parts: list[Part]
    repaired: list[str]
    working: int | None

    @property
    def findings(self) -> list[Finding]:
        """What is not as it should be, errors first."""
        return [found for _, found in self._by_part()]

    @property
    def errors(self) -> list[Finding]:
        """What a person must see to."""
        return [found for part in self.parts for found in part.errors]

    def _by_part(self) -> list[tuple[str, Finding]]:
        found = [(part.name, finding) for part in self.parts for finding in part.findings]
        return sorted(found, key=lambda one: one[1].severity is not Severity.ERROR)

    def facts(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "dataset": self.dataset,
            "at": self.at.isoformat(),
            "sound": not self.errors,
            "run_at_work": self.working is not None,
            "parts": {part.name: {"checked": part.checked, "findings": len(part.findings)} for part in self.parts},
            "findings": [{"part": name, **found.facts()} for name, found in self._by_part()],
            "repaired": self.repaired,
        }


def show(outcome: Outcome) -> None:
    """Print what was found to standard output."""
    console = Console()
    for line in _lines(outcome):
        console.print(line, soft_wrap=True)


def _lines(outcome: Outcome) -> list[Text]:
    lines = [Text(f"batch-nlp, dataset {outcome.dataset}, {outcome.at:%Y-%m-%d %H:%M} UTC", style="bold"), Text()]
    if outcome.working is not None:
        who = f"A run, process {outcome.working}, is working" if outcome.working else "A run was working meanwhile"
        text = f"{who}: what it has not finished is not judged. Ask again when it has ended."
        lines += [*(Text(line, style="yellow") for line in textwrap.wrap(text, _WIDTH)), Text()]
    for part in outcome.parts:
        state, colour = _state(part)
        first, *rest = textwrap.wrap(printable(part.checked, None, " "), _WIDTH - 2 * _NAME) or [""]
        lines.append(Text.assemble((f"{part.name:<{_NAME}}", "cyan"), (f"{state:<{_NAME}}", colour), first))
        lines += [Text(" " * 2 * _NAME + more) for more in rest]
    if outcome.repaired:
        lines += [Text(), Text("Repaired", style="bold")]
        lines += [Text(f"- {printable(done, None, ' ')}") for done in outcome.repaired[:_SHOWN]]
    for finding in outcome.findings[:_SHOWN]:
        headline = f"{finding.severity.value}: {printable(finding.path, None, ' ')}"
        lines += [Text(), Text(headline, _COLOURS[finding.severity])]
        for text in (finding.problem, finding.action):
            sentence = text if text.endswith((".", "!", "?")) else f"{text}."
            lines += [Text(line) for line in wrapped(sentence[:1].upper() + sentence[1:], _WIDTH, "  ", "  ")]
    hidden = len(outcome.findings) - _SHOWN
    if hidden > 0:
        lines += [Text(), Text(f"... and {hidden:,} more: verify.report=true writes all of them to a file.")]
    return lines


def _state(part: Part) -> tuple[str, str]:
    if part.errors:
        return count(len(part.errors), "error"), "red"
    return (count(len(part.findings), "warning"), "yellow") if part.findings else ("ok", "green")
