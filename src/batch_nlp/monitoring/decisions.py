"""The decision log."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.errors import DataError
from batch_nlp.monitoring.archive import ARCHIVED, places_of_old, totals
from batch_nlp.storage.atomic import append_line, write_bytes, write_text
from batch_nlp.storage.seal import content_hash, read_sealed, write_sealed

_CHECK = "check"
_CHECK_LENGTH = 16
# Decisions that nobody works by any more, from which on they are moved to the archive
_MOST_OLD = 100
# how a line ends that was written whole
_WHOLE = re.compile(rb'"check": "[0-9a-f]{16}"}$')


class DecisionLog:
    """One line of JSON for every decision: batches, gates, rollbacks.

    What nobody works by any more is moved to the folder ``decisions``, a file for each month, and a decision
    ``archived`` with its totals stands for it.

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
        # what was read before: SHA-256 of so much of the log, and its decisions
        self._before: tuple[int, str, list[dict[str, Any]]] = (0, _digest(b""), [])

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
        self._checked()
        append_line(self.path, _line(decision))
        write_sealed(self._seal, _sealed(self.path.read_bytes()))

    def read(self) -> list[dict[str, Any]]:
        """Return all decisions, oldest first; a line that a kill cut off is passed over with a warning.

        Raises
        ------
        DataError
            If the log is not what was written; the message names the line where there is one.
        """
        content, sealed = self._checked()
        length, digest, decisions = self._before
        if _digest(content[:length]) != digest:
            length, decisions = 0, []
        decisions = list(decisions)
        # text has line ends that JSON does not escape
        first = content[:length].count(b"\n") + 1
        for number, line in enumerate(content[length:].splitlines(keepends=True), start=first):
            length += len(line)
            try:
                # those under the seal have been checked together
                decisions.append(_decision(line, check=length > sealed))
            except ValueError:
                logger.warning("{}: line {} is not whole and is passed over", self.path, number)
        if content.endswith(b"\n"):
            self._before = length, _digest(content), decisions
        return list(decisions)

    def archived(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the decisions in the archive, oldest first, and of damaged lines a sentence each that names it."""
        found, problems = list[dict[str, Any]](), list[str]()
        for path in sorted(self._archive.glob("[!.]*.jsonl")):
            for number, line in enumerate(path.read_bytes().splitlines(), start=1):
                try:
                    found.append(_decision(line))
                except ValueError as error:
                    problems.append(f"{path}: line {number} is damaged ({error})")
        return found, problems

    @property
    def _archive(self) -> Path:
        return self.path.with_suffix("")

    def archive(self, dataset: str, removed: str, whole: bool) -> None:
        """Move a dataset's decisions that nobody works by any more to the archive.

        Parameters
        ----------
        dataset : str
        removed : str
            The newest batch that is not kept any more.
        whole : bool
            Whether to do so however few they are.
        """
        decisions = self.read()
        old = places_of_old(decisions, dataset, removed)
        if not old or not (whole or len(old) > _MOST_OLD):
            return
        moved = [decisions[place] for place in sorted(old)]
        before = {place for place, found in enumerate(decisions) if _stands_for(found, dataset)}
        counted = totals([*(decisions[place] for place in sorted(before)), *moved])
        about = {"at": moved[-1].get("at"), "decision": ARCHIVED, "dataset": dataset, "totals": dict(counted)}
        months = defaultdict[str, list[dict[str, Any]]](list)
        for decision in moved:
            months[str(decision.get("at"))[:7]].append(decision)
        for month, found in months.items():
            path = self._archive / f"{month}.jsonl"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            # what a killed run has moved is there already
            there = set(lines)
            lines += [line for line in map(_line, found) if line not in there]
            write_text(path, "\n".join(lines) + "\n")
        kept = [decision for place, decision in enumerate(decisions) if place not in old | before]
        content = "".join(f"{_line(decision)}\n" for decision in [about, *kept]).encode()
        # the seal fits the log before and after
        now = _sealed(self.path.read_bytes())
        write_sealed(self._seal, {**now, "next": _sealed(content)})
        write_bytes(self.path, content)
        write_sealed(self._seal, _sealed(content))

    def _checked(self) -> tuple[bytes, int]:
        """Return the log, and how much of it the seal is of; bytes, since a kill may cut a line within a character."""
        content = self.path.read_bytes() if self.path.exists() else b""
        start = 0
        if self._seal.exists():
            seal = read_sealed(self._seal, "Restore it from a backup, or remove it: the log then counts as it is.")
            starts = [part for part in (seal.get("next"), seal) if part and _fits(content, part)]
            if not starts:
                self._refuse(_damaged_line(content, 0) or f"its first {seal['bytes']:,} bytes are not what was written")
            start = int(starts[0]["bytes"])
        # behind the seal is what a kill, an earlier release or a person left
        if problem := _damaged_line(content, start):
            self._refuse(problem)
        return content, start

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


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sealed(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "content": _digest(content)}


def _fits(content: bytes, seal: Mapping[str, Any]) -> bool:
    return _digest(content[: int(seal["bytes"])]) == str(seal["content"])


def _line(decision: dict[str, Any]) -> str:
    return json.dumps({**decision, _CHECK: _check(decision)}, ensure_ascii=False, allow_nan=False)


def _stands_for(decision: Mapping[str, Any], dataset: str) -> bool:
    return decision.get("decision") == ARCHIVED and decision.get("dataset") == dataset


def _check(decision: dict[str, Any]) -> str:
    return content_hash(decision)[:_CHECK_LENGTH]


def _decision(line: bytes, check: bool = True) -> dict[str, Any]:
    """Return the decision of a line without its hash; one of an earlier release has none."""
    decision = json.loads(line)
    if not isinstance(decision, dict):
        raise ValueError("no JSON object")
    found = decision.pop(_CHECK, None)
    if check and found is not None and found != _check(decision):
        raise ValueError("its content is not what was written")
    return decision
