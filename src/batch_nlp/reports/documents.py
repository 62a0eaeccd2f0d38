"""Reads the documents that pages are made from, and selects from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.errors import DataError
from batch_nlp.hierarchy import Leaves, roll_up
from batch_nlp.storage.layers import documents
from batch_nlp.storage.seal import read_sealed

# Address of the entry page from a folder of reports
HOME = "../index.html"
# Maximum number of rows in a table of classes
MOST_ROWS = 20


def read_reports(folder: Path, dataset: str | None = None, most: int | None = None) -> list[dict[str, Any]]:
    """Return the documents of batches, oldest first; an unreadable one is skipped with a warning.

    Of the batches in `folder`, ``08_reporting/batches``, only the newest `most` of one `dataset` are read, if given.
    """
    found: list[dict[str, Any]] = []
    for name in reversed(documents(folder)):
        if len(found) == most:
            break
        path = folder / name
        try:
            document = read_sealed(path, "The index of batches omits it.", unsealed=True)
            if not isinstance(document.get("verdict"), dict):
                raise DataError(f"{path} is not the report of a batch. The index of batches omits it.")
        except DataError as error:
            logger.warning("{}", error)
        else:
            if dataset in (None, document.get("dataset")):
                found.append(document)
    return found[::-1]


def json_value(value: Any) -> Any:
    r"""Return a value that JSON can hold: infinite and undefined numbers become None, lone surrogates are escaped.

    A figure that could not be computed, or a file name that is not UTF-8, must not prevent the report of a night.

    Examples
    --------
    >>> json_value({"auc": float("nan"), "file": "a\udce4.json"})
    {'auc': None, 'file': 'a\\udce4.json'}
    """
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {json_value(str(key)): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    return value


def champion_history(decisions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the champions in a decision log, both oldest first; the last one is the champion.

    Each has ``version``, ``at`` (ISO time), ``reason`` and ``metrics`` on its hold-out. After a rollback, the version
    appears again with its metrics.
    """
    metrics: dict[str, Any] = {}
    history = []
    for decision in decisions:
        kind, version = decision.get("decision"), decision.get("champion")
        if kind not in ("gate", "rollback") or version is None or version == decision.get("champion_before"):
            continue
        if kind == "gate":
            metrics[version] = dict(decision.get("metrics") or {})
        history.append(
            {
                "version": version,
                "at": decision.get("at"),
                "reason": "rollback" if kind == "rollback" else str(decision.get("reason") or ""),
                "metrics": metrics.get(version, {}),
            }
        )
    return history


def classes_to_show(shares: Sequence[Mapping[str, Any]], most: int = MOST_ROWS) -> list[Mapping[str, Any]]:
    """Return the classes to show: all, or at most `most`, first those out of the band, then the largest."""
    if len(shares) <= most:
        return list(shares)
    return sorted(shares, key=lambda share: (not share["out"], -share["share"]))[:most]


def with_parents(values: Mapping[str, float], parents: Iterable[str]) -> dict[str, float]:
    """Return shares by class, with the sums of the parents of a hierarchy before them."""
    leaves = dict(roll_up(Leaves(values)))
    shares = list(values.values())
    return {**{parent: sum(shares[index] for index in leaves[parent]) for parent in parents if values}, **values}


def f1_on_hold_out(champions: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the macro F1 of each version on its hold-out."""
    return {champion["version"]: champion.get("metrics", {}).get("f1_macro") for champion in champions}
