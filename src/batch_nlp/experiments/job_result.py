"""The result of one job of a sweep, and the file that holds it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from loguru import logger

RESULT_FILE, CARD_FILE = "result.json", "model_card.html"
# Jobs that differ only in these settings are repeats of one experiment
REPEATS = ("seed", "training.window")
# Settings that do not change the result of a job
_WITHOUT_EFFECT = ("hydra", "log_level", "tracking")


@dataclass(frozen=True)
class JobResult:
    """The result of one job."""

    number: int
    # Settings given on the command line, as ``key=value``
    overrides: list[str]
    # Fingerprints of all settings, and of all settings except those of repeats
    fingerprint: str
    group: str
    # ``ok`` or ``failed``
    status: str
    # UTC, ISO 8601
    finished_at: str
    seconds: float
    error: str | None = None
    # Exit code that the job would have had outside a sweep
    exit_code: int = 0
    # Name of the training run, which is also the name of the candidate's folders
    run: str | None = None
    # State of the labelled data at training time
    data: list[Any] | None = None
    # Name of the metric that selects models
    metric: str | None = None
    # Its value on the hold-out
    value: float | None = None
    # Its 95 % bootstrap interval over the held-out messages: low, high
    interval: list[float] | None = None
    # Metrics on the hold-out, also of a candidate that failed its gate
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the job succeeded."""
        return self.status == "ok"

    def write(self, folder: Path) -> None:
        """Write the result to the job's folder, all or nothing."""
        persist(folder / RESULT_FILE, json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_result(folder: Path) -> JobResult | None:
    """Return the result in a job's folder; None if the file is missing or unreadable."""
    path = folder / RESULT_FILE
    if not path.exists():
        return None
    try:
        values = json.loads(path.read_bytes())
        return JobResult(**{known.name: values[known.name] for known in fields(JobResult) if known.name in values})
    except (ValueError, TypeError) as error:
        logger.warning("{}: not a readable job result, ignored: {!r}", path, error)
        return None


def persist(path: Path, text: str) -> None:
    """Write a text, all or nothing, without holding the lock.

    A run that takes the lock in the meantime removes temporary files, as a killed run may have left them. It does so
    only once, so a second attempt succeeds.
    """
    # imported late: the command line imports this module, and these take a while
    import stamina

    from batch_nlp.storage.atomic import write_text

    for attempt in stamina.retry_context(on=FileNotFoundError, attempts=3):
        with attempt:
            write_text(path, text)


def fingerprint(settings: Mapping[str, Any], without: Iterable[str] = ()) -> str:
    """Return a hash of settings, 12 hexadecimal digits, that ignores the keys `without`.

    The settings are composed, with unresolved interpolations, so that moving the project changes nothing.
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
    """Return the finite numbers among a model's metrics, with each class's recall as ``recall_<class>``."""
    recalls = {f"recall_{name}": found["recall"] for name, found in metrics.get("classes", {}).items()}
    return {
        name: float(value)
        for name, value in {**metrics, **recalls}.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
