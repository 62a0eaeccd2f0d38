"""What a job of a sweep came to, and the file that says so."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from loguru import logger

RESULT_FILE = "result.json"
# Settings whose values make repeats of one experiment, not experiments of their own
REPEATS = ("seed", "training.window")
# Settings that change nothing about what a job comes to
_WITHOUT_EFFECT = ("hydra", "log_level", "tracking")


@dataclass(frozen=True)
class JobResult:
    """What a job came to."""

    number: int
    # Settings given for it, as ``key=value``
    overrides: list[str]
    # Of all its settings, and of all but those that make repeats
    fingerprint: str
    group: str
    # ``ok`` or ``failed``
    status: str
    # When, UTC, ISO 8601
    finished_at: str
    seconds: float
    error: str | None = None
    # What the command line would end with if it were the only job
    exit_code: int = 0
    # Name of the training run; the candidate's folders carry it
    run: str | None = None
    # State of the labelled data that it was trained on
    data: list[Any] | None = None
    # Name of the metric that selects models
    metric: str | None = None
    # Its value on the hold-out
    value: float | None = None
    # Metrics on the hold-out; a candidate that failed its gate has them too
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked to do."""
        return self.status == "ok"

    def write(self, folder: Path) -> None:
        """Write the result to the job's folder, all or nothing."""
        persist(folder / RESULT_FILE, json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_result(folder: Path) -> JobResult | None:
    """Return the result in a job's folder; None where there is none that can be read."""
    path = folder / RESULT_FILE
    if not path.exists():
        return None
    try:
        values = json.loads(path.read_bytes())
        return JobResult(**{known.name: values[known.name] for known in fields(JobResult)})
    except (ValueError, KeyError, TypeError) as error:
        logger.warning("{} is no result of a job and is passed over: {!r}", path, error)
        return None


def persist(path: Path, text: str, attempts: int = 3) -> None:
    """Write a text, all or nothing, without holding the lock.

    A run that takes the lock meanwhile may sweep the temporary file away as one that a killed run left; it does so
    once, when it begins.
    """
    # imported late, since the command line imports this module, and parquet comes with it
    from batch_nlp.storage.atomic import write_text

    for attempt in range(attempts):
        try:
            return write_text(path, text)
        except FileNotFoundError:
            if attempt == attempts - 1:
                raise
    return None


def fingerprint(settings: Mapping[str, Any], without: Iterable[str] = ()) -> str:
    """Return 12 hexadecimal digits that stand for settings.

    Parameters
    ----------
    settings : mapping
        Composed settings with their interpolations unresolved, so that moving the project changes nothing.
    without : iterable of str
        Keys, with dots, that do not count.
    """
    content = json.loads(json.dumps(settings, default=str))
    for key in (*_WITHOUT_EFFECT, *without):
        *parents, name = key.split(".")
        node = content
        for parent in parents:
            node = node.get(parent, {})
        node.pop(name, None)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def flat_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite numbers among a model's metrics, and the recall of each class as ``recall_<class>``."""
    recalls = {f"recall_{name}": found["recall"] for name, found in metrics.get("classes", {}).items()}
    return {
        name: float(value)
        for name, value in {**metrics, **recalls}.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
