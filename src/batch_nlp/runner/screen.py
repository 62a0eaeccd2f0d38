"""The screens of `pipeline=status` and `pipeline=verify`: named facts and paragraphs, 80 columns wide."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.text import Text

from batch_nlp.log import wrapped

_NAME, _WIDTH = 12, 80


class Screen:
    """Lines for standard output, below a headline with the dataset and the time."""

    def __init__(self, dataset: str, at: datetime) -> None:
        self._lines = [Text(f"batch-nlp, dataset {dataset}, {at:%Y-%m-%d %H:%M} UTC", style="bold"), Text()]

    def add(self, *lines: Text) -> None:
        """Add lines."""
        self._lines += lines

    def fact(self, name: str, value: str, state: str = "", colour: str = "") -> None:
        """Add the name and the value of a fact, with its state in between if it has one."""
        start = Text.assemble((f"{name:<{_NAME}}", "cyan"), (f"{state:<{_NAME if state else 0}}", colour))
        first, *rest = wrapped(value, _WIDTH - len(start))
        self.add(start + Text(first), *(Text(" " * len(start) + more) for more in rest))

    def paragraph(self, text: str, style: str = "", first: str = "", rest: str = "") -> None:
        """Add text whose first line and other lines begin with the given strings."""
        self.add(*(Text(line, style) for line in wrapped(text, _WIDTH, first, rest)))

    def show(self) -> None:
        """Print the screen."""
        console = Console()
        for line in self._lines:
            console.print(line, soft_wrap=True)
