"""Messages of two kinds, of which the text tells the kind."""

from __future__ import annotations

from typing import Any

GOOD = ["the parcel came early and well packed", "friendly staff and quick help", "works as it should, thank you"]
BAD = ["the parcel never came at all", "rude staff and no help", "broken after a week, very poor"]


def tickets(count: int = 120, **columns: Any) -> list[dict[str, Any]]:
    """Return messages of two kinds, of which 40 % are bad; `columns` are made from the position of a row."""
    rows = []
    for number in range(count):
        bad = number % 5 < 2
        text = f"{(BAD if bad else GOOD)[number % 3]} number {number}"
        made = {name: make(number, bad) for name, make in columns.items()}
        rows.append({"q": text, "w": "b" if bad else "g", **made})
    return rows
