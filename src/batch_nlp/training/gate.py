"""The gate: whether a candidate may replace the champion."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import binomtest

from batch_nlp.config import GateConfig, ThresholdsConfig
from batch_nlp.metrics.bootstrap import lower_bound_of_difference
from batch_nlp.metrics.confusion import METRICS
from batch_nlp.training.validation import Validation

DIFFERS = "differs from the champion"
# Thresholds that `auto` stands for with up to three classes; with more classes, this much above a guess
_FEWEST, _AUTO, _ABOVE_A_GUESS = 3, {"f1_macro": 0.5, "f1_weighted": 0.6, "recall": 0.2}, 0.05
# With more classes than this, recalls are tested at this level instead of being taken at their values
_FEW, _LEVEL = 10, 0.05


@dataclass(frozen=True)
class GateCheck:
    """One condition of the gate."""

    name: str
    # What was found, and the lowest value that passes; None where the condition is not about a number
    value: float | None
    bound: float | None
    passed: bool

    def __str__(self) -> str:
        figures = "" if self.value is None else f" {self.value:.4f} (at least {self.bound:.4f})"
        return f"{self.name}{figures}: {'passed' if self.passed else 'failed'}"


@dataclass(frozen=True)
class GateDecision:
    """Whether a candidate passed the gate, and why."""

    checks: list[GateCheck]
    # Why the candidate was not compared with the champion, where there is one
    not_compared: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check passed; without checks, no candidate passes."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def same_as_champion(self) -> bool:
        """Whether the candidate predicts every held-out message as the champion does."""
        return any(check.name == DIFFERS and not check.passed for check in self.checks)

    @property
    def failures(self) -> str:
        """The checks that failed, in words."""
        if not self.checks:
            because = f"; not compared with the champion: {self.not_compared}" if self.not_compared else ""
            return f"no gate settings: set training.thresholds or training.gate{because}"
        return "; ".join(str(check) for check in self.checks if not check.passed)

    def to_list(self) -> list[dict[str, Any]]:
        """Return the checks as JSON values."""
        return [asdict(check) for check in self.checks]


def check_thresholds(validation: Validation, thresholds: ThresholdsConfig) -> list[GateCheck]:
    """Check the candidate's own metrics against the thresholds of the settings."""
    found = {name: validation.metric(name) for name in METRICS}
    counts = validation.counts
    # without the messages of no class, an outcome that no message has
    k = int(np.count_nonzero(counts.support))
    recalls = counts.recall
    if (tail := _tail(k)) is not None:
        recalls = np.array([_upper_bound(*pair, tail) for pair in zip(counts.hits, counts.support, strict=True)])
    found["recall"] = float(np.nanmin(recalls))
    return [
        GateCheck(f"training.thresholds.{name}", value, bound, value >= bound)
        for name, value in found.items()
        if (bound := threshold(name, getattr(thresholds, name), k)) is not None
    ]


def threshold(name: str, setting: Any, n_classes: int) -> float | None:
    """Return the threshold of ``f1_macro``, ``f1_weighted`` or ``recall``; None without one.

    With more classes, a guess is right less often, so ``auto`` asks for less.
    """
    if setting != "auto":
        return None if setting is None else float(setting)
    if n_classes <= _FEWEST:
        return _AUTO[name]
    return None if name == "recall" else round(1 / n_classes + _ABOVE_A_GUESS, 4)


def _tail(n_classes: int) -> float | None:
    """Return the level at which the recall of one of many classes is tested; None for few classes, which are not.

    Of 77 small classes, some class always does badly by chance. So with many classes, a recall fails only if it is too
    low beyond chance, corrected for the number of classes (Bonferroni).
    """
    return None if n_classes <= _FEW else _LEVEL / n_classes


def _upper_bound(hits: int, support: int, tail: float) -> float:
    """Return Clopper and Pearson's upper bound of a recall; NaN for a class without labels."""
    if not support:
        return np.nan
    found = binomtest(hits, support, alternative="less").proportion_ci(1 - tail, "exact")
    return float(found.high)


def check_against_champion(
    labels: NDArray[np.int64],
    candidate: NDArray[np.int64],
    champion: NDArray[np.int64],
    classes: list[str],
    metric: str,
    settings: GateConfig,
    seed: int,
) -> list[GateCheck]:
    """Compare the candidate with the champion on messages that both models have been measured on.

    Classes are those of the candidate. Any other class that the champion predicts is ``len(classes)``, and never right.
    """
    checks = [GateCheck(DIFFERS, None, None, bool((candidate != champion).any()))]
    if settings.tolerance is not None:
        bound = lower_bound_of_difference(
            labels, candidate, champion, len(classes), metric, settings.bootstrap_samples, settings.confidence, seed
        )
        name = f"lower bound of the difference in {metric} to the champion"
        checks.append(GateCheck(name, bound, -settings.tolerance, bound >= -settings.tolerance))
    if settings.max_recall_drop is not None:
        checks.append(_recall_check(labels, candidate, champion, classes, settings.max_recall_drop))
    return checks


def _recall_check(
    labels: NDArray[np.int64],
    candidate: NDArray[np.int64],
    champion: NDArray[np.int64],
    classes: list[str],
    max_drop: float,
) -> GateCheck:
    """Check the class whose recall fell most."""
    k = len(classes)
    ours, theirs = candidate == labels, champion == labels
    gained, lost = (np.bincount(labels[rows], minlength=k) for rows in (ours & ~theirs, theirs & ~ours))
    support = np.bincount(labels, minlength=k)
    gain, name = (gained - lost) / np.maximum(support, 1), "change in recall of class"
    if (tail := _tail(k)) is not None:
        gain += ndtri(1 - tail) * np.sqrt(gained + lost + 1) / np.maximum(support, 1)
        name = f"upper bound of the {name}"
    # the recall of a class without labels cannot fall
    worst = int(np.argmin(np.where(support > 0, gain, np.inf)))
    return GateCheck(f"{name} {classes[worst]}", float(gain[worst]), -max_drop, bool(gain[worst] >= -max_drop))
