"""The decision log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.storage.atomic import append_line


class DecisionLog:
    """One line of JSON for every decision: batches, gates, rollbacks.

    Parameters
    ----------
    path : Path
        ``08_reporting/decisions.jsonl``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, decision: dict[str, Any]) -> None:
        """Add a decision and make it durable."""
        append_line(self.path, json.dumps(decision, ensure_ascii=False, allow_nan=False))

    def read(self) -> list[dict[str, Any]]:
        """Return all decisions, oldest first; a line that a kill cut off is passed over with a warning."""
        if not self.path.exists():
            return []
        decisions = []
        # bytes, since a kill may cut a line within a character, and text has line ends that JSON does not escape
        for number, line in enumerate(self.path.read_bytes().splitlines(), start=1):
            try:
                decisions.append(json.loads(line))
            except ValueError:
                logger.warning("{}: line {} is not whole and is passed over", self.path, number)
        return decisions
