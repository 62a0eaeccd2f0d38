"""The gate: whether a candidate may take the champion's place."""

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
# Of up to three classes, what is asked for where the settings leave it to the project, and of more, beyond a guess
_FEWEST, _AUTO, _ABOVE_A_GUESS = 3, {"f1_macro": 0.5, "f1_weighted": 0.6, "recall": 0.2}, 0.05
# Classes of which each is taken at its figures, and the level of a test of more
_FEW, _LEVEL = 10, 0.05


@dataclass(frozen=True)
class Check:
    """One condition of the gate."""

    # What is asked
    name: str
    # What was found, and the least that is enough; None where the condition is no number
    value: float | None
    bound: float | None
    # Whether it holds
    passed: bool

    def __str__(self) -> str:
        figures = "" if self.value is None else f" {self.value:.4f} (at least {self.bound:.4f})"
        return f"{self.name}{figures}: {'passed' if self.passed else 'failed'}"


@dataclass(frozen=True)
class GateDecision:
    """What the gate says, and why."""

    checks: list[Check]
    # Why the candidate was not compared with the champion that there is
    not_compared: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check holds; without any there is nothing to trust."""
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


def check_thresholds(validation: Validation, thresholds: ThresholdsConfig) -> list[Check]:
    """Return the checks of what a candidate must reach whatever the champion does."""
    found = {name: validation.metric(name) for name in METRICS}
    counts, k = validation.counts, len(validation.classes)
    recalls = counts.recall
    if (tail := _tail(k)) is not None:
        recalls = np.array([_upper_bound(*pair, tail) for pair in zip(counts.hits, counts.support, strict=True)])
    found["recall"] = float(np.nanmin(recalls))
    return [
        Check(f"training.thresholds.{name}", value, bound, value >= bound)
        for name, value in found.items()
        if (bound := threshold(name, getattr(thresholds, name), k)) is not None
    ]


def threshold(name: str, setting: Any, n_classes: int) -> float | None:
    """Return what a metric must reach; None where nothing is asked.

    Parameters
    ----------
    name : str
        Of the metric.
    setting : float, "auto" or None
    n_classes : int
        A guess among many classes is right less often, so they are asked for less.
    """
    if setting != "auto":
        return None if setting is None else float(setting)
    if n_classes <= _FEWEST:
        return _AUTO[name]
    return None if name == "recall" else round(1 / n_classes + _ABOVE_A_GUESS, 4)


def _tail(n_classes: int) -> float | None:
    """Return the level of a test of one of many classes, None where so few are taken at their figures.

    The least recall of many small classes, and the recall that falls most, say little: one of 77 always does badly by
    chance. So with many classes, a figure fails where it would beyond chance, corrected for their number (Bonferroni).
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
) -> list[Check]:
    """Return the checks of what a candidate must show on the messages that both models have been measured on.

    Classes are those of the candidate; what the champion predicts beyond them is ``len(classes)``, and never right.
    """
    checks = [Check(DIFFERS, None, None, bool((candidate != champion).any()))]
    if settings.tolerance is not None:
        bound = lower_bound_of_difference(
            labels, candidate, champion, len(classes), metric, settings.bootstrap_samples, settings.confidence, seed
        )
        name = f"lower bound of the difference in {metric} to the champion"
        checks.append(Check(name, bound, -settings.tolerance, bound >= -settings.tolerance))
    if settings.max_recall_drop is not None:
        checks.append(_recall_check(labels, candidate, champion, classes, settings.max_recall_drop))
    return checks


def _recall_check(
    labels: NDArray[np.int64],
    candidate: NDArray[np.int64],
    champion: NDArray[np.int64],
    classes: list[str],
    max_drop: float,
) -> Check:
    """Return the check of the class whose recall fell most."""
    k = len(classes)
    ours, theirs = candidate == labels, champion == labels
    gained, lost = (np.bincount(labels[rows], minlength=k) for rows in (ours & ~theirs, theirs & ~ours))
    support = np.bincount(labels, minlength=k)
    gain, name = (gained - lost) / np.maximum(support, 1), "change in recall of class"
    if (tail := _tail(k)) is not None:
        gain += ndtri(1 - tail) * np.sqrt(gained + lost + 1) / np.maximum(support, 1)
        name = f"upper bound of the {name}"
    # a class without a message has no recall that could fall
    worst = int(np.argmin(np.where(support > 0, gain, np.inf)))
    return Check(f"{name} {classes[worst]}", float(gain[worst]), -max_drop, bool(gain[worst] >= -max_drop))
