"""The decision log."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import append_line
from batch_nlp.storage.sealed_json import content_hash, read_sealed, write_sealed

_CHECK = "check"
_CHECK_LENGTH = 16
# how a line ends that was written whole
_WHOLE = re.compile(rb'"check": "[0-9a-f]{16}"}$')


class DecisionLog:
    """One line of JSON for every decision: batches, gates, rollbacks.

    Each line carries a hash of its content, so that a damaged one can be named. A file beside the log says how long the
    log is, and holds the hash of that much of it: so a log that was cut is told from one whose last line a kill left
    unfinished.

    Parameters
    ----------
    path : Path
        ``08_reporting/decisions.jsonl``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def _seal(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.seal.json")

    def append(self, decision: dict[str, Any]) -> None:
        """Add a decision and make it durable.

        Raises
        ------
        DataError
            If the log is damaged: what is there must not be taken as sound from now on.
        """
        self._content()
        append_line(
            self.path,
            json.dumps({**decision, _CHECK: _check(decision)}, ensure_ascii=False, allow_nan=False),
        )
        content = self.path.read_bytes()
        write_sealed(self._seal, {"bytes": len(content), "content": hashlib.sha256(content).hexdigest()})

    def read(self) -> list[dict[str, Any]]:
        """Return all decisions, oldest first; a line that a kill cut off is passed over with a warning.

        Raises
        ------
        DataError
            If the log is not what was written; the message names the line where there is one.
        """
        decisions = []
        # text has line ends that JSON does not escape
        for number, line in enumerate(self._content().splitlines(), start=1):
            try:
                decisions.append(_decision(line))
            except ValueError:
                logger.warning("{}: line {} is not whole and is passed over", self.path, number)
        return decisions

    def _content(self) -> bytes:
        """Return the log after checking it; bytes, since a kill may cut a line within a character."""
        content = self.path.read_bytes() if self.path.exists() else b""
        start = 0
        if self._seal.exists():
            seal = read_sealed(self._seal, "Restore it from a backup, or remove it: the log then counts as it is.")
            start = int(seal["bytes"])
            if hashlib.sha256(content[:start]).hexdigest() != seal["content"]:
                self._refuse(_damaged_line(content, 0) or f"its first {start:,} bytes are not what was written")
        # behind the seal is what a kill, an earlier release or a person left
        if problem := _damaged_line(content, start):
            self._refuse(problem)
        return content

    def _refuse(self, problem: str) -> None:
        raise DataError(
            f"{self.path}: {problem if self.path.exists() else 'missing'}. Restore it from a backup, or remove "
            f"{self._seal.name} beside it, and what is damaged in it: those decisions are then forgotten, and the next "
            "alarm may retrain again."
        )


def _damaged_line(content: bytes, start: int) -> str | None:
    """Return in words which line behind a position is damaged, if one is."""
    first = content[:start].count(b"\n") + 1
    for number, line in enumerate(content[start:].splitlines(), start=first):
        try:
            _decision(line)
        except ValueError as error:
            # a kill leaves the start of a line, which the next run ends
            if _WHOLE.search(line):
                return f"line {number} is damaged ({error})"
    return None


def _check(decision: dict[str, Any]) -> str:
    return content_hash(decision)[:_CHECK_LENGTH]


def _decision(line: bytes) -> dict[str, Any]:
    """Return the decision of a line without its hash; one of an earlier release has none."""
    decision = json.loads(line)
    if not isinstance(decision, dict):
        raise ValueError("no JSON object")
    check = decision.pop(_CHECK, None)
    if check is not None and check != _check(decision):
        raise ValueError("its content is not what was written")
    return decision
