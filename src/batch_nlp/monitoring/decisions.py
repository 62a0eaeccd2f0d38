"""The decision log."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.errors import count
from batch_nlp.monitoring.archive import ARCHIVED, places_of_old, totals
from batch_nlp.storage.atomic import append_line
from batch_nlp.storage.problem import DamageError, Problem, Severity
from batch_nlp.storage.seal import Seal, check_file, read_sealed, replacing_sealed

# How many decisions that no run needs any more wait in the log before they move to the archive
_MOST_OLD = 100
_RESEAL = "Restore it from a backup, or remove it: the log is then accepted as it is."
# In lines of earlier releases: the hash of the line
_CHECK = "check"


class DecisionLog:
    """``08_reporting/decisions.jsonl``: one line of JSON per decision on a batch, a gate or a rollback.

    Decisions that no run needs any more move to the folder ``decisions``, one file per month. A decision ``archived``
    in the log holds their totals. A seal beside the log holds its hash; a kill can leave lines, or part of a line, that
    are not sealed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = path.with_suffix("")
        self._seal = Seal(path.with_name(f"{path.stem}.seal.json"), _RESEAL)
        # What was read last: the log and its decisions
        self._parsed: tuple[bytes, list[dict[str, Any]]] = (b"", [])

    def append(self, decision: dict[str, Any]) -> None:
        """Add a decision and make it durable; a damaged log is refused, since adding to it would seal the damage."""
        self._checked()
        append_line(self.path, _line(decision))
        self._seal.write({self.path.name: [_digest(self.path.read_bytes())]})

    def read(self) -> list[dict[str, Any]]:
        """Return all decisions, oldest first; a line that a kill cut off is skipped with a warning.

        Raises a `DamageError` if the log is not what was written.
        """
        content = self._checked()
        if content != self._parsed[0]:
            decisions = []
            # bytes, since texts contain line ends that JSON does not escape
            for number, line in enumerate(content.splitlines(), start=1):
                try:
                    decisions.append(_decision(line))
                except ValueError:
                    logger.warning("{}: line {} is not whole and is skipped", self.path, number)
            self._parsed = content, decisions
        return list(self._parsed[1])

    def _checked(self) -> bytes:
        """Return the log after checking it."""
        # in this order: a run at work may append in between
        hashes, content = self._hashes(), self.path.read_bytes() if self.path.exists() else b""
        if hashes and not _starts_as_sealed(content, hashes):
            what = "damaged; its content is not what was written" if self.path.exists() else "missing"
            action = (
                f"Restore it from a backup. Or remove {self._seal.file.name} beside it, and damaged lines: lost "
                "decisions are forgotten, and the next alarm may retrain again."
            )
            raise DamageError(Problem(self.path, what, action))
        return content

    def _hashes(self) -> list[str]:
        if not self._seal.file.exists():
            return []
        if hashes := self._seal.read().get(self.path.name):
            return hashes
        # an earlier release sealed the log itself and, while replacing it, also its successor
        document = read_sealed(self._seal.file, _RESEAL)
        return [sealed["content"] for sealed in (document, document.get("next", {})) if "content" in sealed]

    def archive(self, dataset: str, removed: str, whole: bool) -> None:
        """Move a dataset's decisions that no run needs any more to the archive: if `whole`, even a few of them.

        `removed` is the newest batch that retention has removed.
        """
        decisions = self.read()
        old = places_of_old(decisions, dataset, removed)
        if not old or not (whole or len(old) > _MOST_OLD):
            return
        moved = [decisions[place] for place in sorted(old)]
        own = (place for place, found in enumerate(decisions) if found.get("dataset") == dataset)
        before = {place for place in own if decisions[place].get("decision") == ARCHIVED}
        counted = totals([*(decisions[place] for place in sorted(before)), *moved])
        about = {"at": moved[-1].get("at"), "decision": ARCHIVED, "dataset": dataset, "totals": dict(counted)}
        self._add_to_months(moved)
        kept = [decision for place, decision in enumerate(decisions) if place not in old | before]
        with replacing_sealed(self.path, self._seal) as temporary:
            temporary.write_bytes("".join(f"{_line(decision)}\n" for decision in [about, *kept]).encode())

    def _add_to_months(self, moved: list[dict[str, Any]]) -> None:
        months = defaultdict[str, list[dict[str, Any]]](list)
        for decision in moved:
            months[str(decision.get("at"))[:7]].append(decision)
        for month, found in months.items():
            path = self._archive / f"{month}.jsonl"
            # a killed run may have moved some already
            lines = dict.fromkeys(map(_line, [*(_read_month(path) if path.exists() else []), *found]))
            with replacing_sealed(path) as temporary:
                temporary.write_bytes("".join(f"{line}\n" for line in lines).encode())

    def problems(self, judged: Mapping[str, Mapping[str, int]]) -> list[Problem]:
        """Return what is wrong with the log and its archive, given the accounts in the records of judged batches."""
        try:
            decisions = self.read()
        except DamageError as error:
            return [error.problem]
        found, archived = list[Problem](), list[dict[str, Any]]()
        if lost := len(self._checked().splitlines()) - len(decisions):
            what = f"{count(lost, 'line')} cannot be read"
            action = "Nothing if a run was killed while it wrote: readers skip the line. Otherwise restore a backup."
            found.append(Problem(self.path, what, action, Severity.WARNING, transient=True))
        for path in sorted(self._archive.glob("[!.]*.jsonl")):
            try:
                archived += _read_month(path)
            except DamageError as error:
                found.append(error.problem)
        before, known = _accounts(archived), _accounts([*archived, *decisions])
        totals_of = (one["totals"]["batches"] for one in decisions if one["decision"] == ARCHIVED)
        # a person may have removed months from the archive
        removed = sum(totals_of) > len(before)
        for name, accounts in judged.items():
            if name not in known and not removed:
                what = f"no decision on batch {name}, which was judged"
                found.append(Problem(self.path, what, "Restore the log from a backup: the breaker reads it."))
            elif name in known and known[name] != accounts:
                what = f"the accounts of batch {name} are {known[name]}, but its record says {accounts}"
                found.append(Problem(self.path, what, "Restore the log or the record from a backup."))
        return list(dict.fromkeys(found))


def _starts_as_sealed(content: bytes, hashes: Collection[str]) -> bool:
    """Return whether a log, or its first lines, have one of some hashes."""
    hashing = hashlib.sha256()
    for line in content.splitlines(keepends=True):
        hashing.update(line)
        if hashing.hexdigest() in hashes:
            return True
    return False


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _line(decision: dict[str, Any]) -> str:
    return json.dumps(decision, ensure_ascii=False, allow_nan=False)


def _decision(line: bytes) -> dict[str, Any]:
    decision = json.loads(line)
    if not isinstance(decision, dict):
        raise ValueError("not a JSON object")
    decision.pop(_CHECK, None)
    return decision


def _read_month(path: Path) -> list[dict[str, Any]]:
    """Return the decisions of a month in the archive, after checking its file."""
    check_file(path, whole=False)
    try:
        return [_decision(line) for line in path.read_bytes().splitlines()]
    except ValueError as error:
        action = "Restore it from a backup, or remove it: no run needs it."
        raise DamageError(Problem(path, f"damaged ({error})", action)) from error


def _accounts(decisions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the accounts of the batches that were judged."""
    judged = (one for one in decisions if one.get("decision") == "batch" and one.get("batch") is not None)
    return {one["batch"]: one.get("accounts") for one in judged}
