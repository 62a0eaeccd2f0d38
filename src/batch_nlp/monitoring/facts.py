"""The small facts that verdicts and analyses are made of."""

from __future__ import annotations

from dataclasses import dataclass


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
        Whether it lies outside its band by the rule in force, by the literal one where no rule judges the band; with
        classes for which no batch can satisfy the band, whether the rule ``reference`` rings for it.
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
class TestResult:
    """One comparison of a batch with the champion's hold-out.

    Parameters
    ----------
    name : str
        What was compared and how, for example ``psi of the predicted classes``.
    kind : str
        ``mix`` (which messages came: shares, features, words) or ``quality`` (how sure the model is).
    value : float
        The statistic.
    p_value : float
        From the null distribution at this batch's size.
    p_adjusted : float
        Corrected for all comparisons of the batch.
    counts : bool
        Whether the difference is significant and large enough to matter.
    """

    # not a test case, whatever its name
    __test__ = False

    name: str
    kind: str
    value: float
    p_value: float
    p_adjusted: float
    counts: bool


@dataclass(frozen=True)
class Compared:
    """A figure of the batch beside that of the champion's hold-out; None where it cannot be known."""

    batch: float | None
    reference: float | None


@dataclass(frozen=True)
class Comparison:
    """A batch beside the champion's hold-out: what the rules judge that need more than the batch's shares.

    Parameters
    ----------
    shares : dict of str to Compared
        Share of each predicted class.
    confidence : Compared
        Mean probability of the predicted class.
    tests : list of TestResult
    """

    shares: dict[str, Compared]
    confidence: Compared
    tests: list[TestResult]
