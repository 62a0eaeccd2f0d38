"""The verdict on a batch: the mission's rule on the shares of the predicted classes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import sqrt
from typing import Any

from scipy.stats import norm

from batch_nlp.config import DriftConfig, DriftRule
from batch_nlp.errors import SettingsError


class Status(StrEnum):
    """What is said of a batch."""

    OK = "ok"
    DRIFT = "drift"
    INSUFFICIENT = "insufficient"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class ClassShare:
    """One class's share of the predictions.

    Parameters
    ----------
    name : str
        Label of the class.
    messages : int
        Messages predicted to be of it.
    share : float
        Its share of all predictions.
    lower, upper : float
        Wilson interval of the share.
    out : bool
        Whether it lies outside the band by the rule in force.
    """

    name: str
    messages: int
    share: float
    lower: float
    upper: float
    out: bool


@dataclass(frozen=True)
class Finding:
    """What one rule found.

    Parameters
    ----------
    rule : str
        Its name in ``drift.rules``.
    rings : bool
    reason : str
        In words, whether it rings or not.
    """

    rule: str
    rings: bool
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What is said of a batch, and why.

    Parameters
    ----------
    status : Status
    reason : str
        In words.
    shares : list of ClassShare
        Empty where nothing was predicted.
    findings : list of Finding
        One a rule, in the order of the settings; empty where nothing was judged.
    """

    status: Status
    reason: str
    shares: list[ClassShare]
    findings: list[Finding] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return asdict(self)


def wilson_interval(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the Wilson score interval of a share.

    Parameters
    ----------
    successes, n : int
        Messages of the class and messages in all, n > 0.
    confidence : float
        Two-sided.

    Returns
    -------
    tuple of float
        Lower and upper bound, within [0, 1]. Source: E. B. Wilson, JASA 22 (1927), 209-212.

    Examples
    --------
    >>> lower, upper = wilson_interval(10, 100, 0.95)
    >>> round(lower, 4), round(upper, 4)
    (0.0552, 0.1744)
    """
    z = float(norm.isf((1 - confidence) / 2))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # rounding would leave a trace of the other side where every message or none is of the class
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def judge(counts: list[int], classes: list[str], settings: DriftConfig) -> Verdict:
    """Judge the shares of the predicted classes.

    Parameters
    ----------
    counts : list of int
        Predictions of each class.
    classes : list of str
        Their labels.
    settings : DriftConfig
        The band, the rule and the least number of messages.
    """
    n = sum(counts)
    if n == 0:
        return Verdict(Status.SKIPPED, "no messages", [])
    shares = []
    for name, count in zip(classes, counts, strict=True):
        lower, upper = wilson_interval(count, n, settings.confidence)
        share = count / n
        if DriftRule.interval in settings.rules:
            out = upper < settings.low or lower > settings.high
        else:
            out = share < settings.low or share > settings.high
        shares.append(ClassShare(name, count, share, lower, upper, out))
    if n < settings.min_messages:
        return Verdict(Status.INSUFFICIENT, f"{n} messages are fewer than {settings.min_messages}", shares)
    found = [
        f"{share.name} {share.share:.1%} is {'under' if share.share < settings.low else 'over'} "
        f"{settings.low if share.share < settings.low else settings.high:.0%}"
        for share in shares
        if share.out
    ]
    if found:
        return Verdict(Status.DRIFT, "; ".join(found), shares)
    return Verdict(Status.OK, f"every class is within {settings.low:.0%} and {settings.high:.0%}", shares)


def check_band(settings: DriftConfig, n_classes: int) -> None:
    """Check that a batch can satisfy the band.

    Raises
    ------
    SettingsError
        If none can, or a bound is no share.
    """
    low, high = settings.low, settings.high
    if not 0 <= low < high <= 1:
        raise SettingsError(f"drift.low={low:g} and drift.high={high:g}: need 0 <= low < high <= 1.")
    if n_classes * low > 1:
        raise SettingsError(
            f"drift.low={low:g}: no batch can give each of {n_classes} classes that share; "
            f"at most {1 / n_classes:.3g} is possible."
        )
    if n_classes * high < 1:
        raise SettingsError(
            f"drift.high={high:g}: no batch can keep each of {n_classes} classes under that share; "
            f"at least {1 / n_classes:.3g} is needed."
        )
    if not 0 < settings.confidence < 1:
        raise SettingsError(f"drift.confidence={settings.confidence:g}: need a value between 0 and 1.")
    if settings.min_messages < 1:
        raise SettingsError(f"drift.min_messages={settings.min_messages}: need at least 1.")
