"""Extrapolates a learning curve to twice as many messages, and says whether more messages would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

from batch_nlp.metrics.confusion import METRIC_NAMES, ClassCounts, confusion_matrix

# The smallest gain that is worth the labels: half a point of F1
WORTH = 0.005
_RESAMPLES = 200
# Tail below and above the range of the gain: 90 % of the resamples exceed its lower end
_TAIL = 0.1
# Fewer sizes than this do not determine a curve of three parameters
LEAST_SIZES = 4
# a is a score. b is the gain that remains at the largest size. With c near 0 the curve would be a straight line over
# the logarithm of the size, without a limit; with c = 2 it is nearly a step
_BOUNDS = ([0.0, 0.0, 0.05], [1.0, 1.0, 2.0])


@dataclass(frozen=True)
class PowerLaw:
    """The score with n training messages, ``a - b * n ** -c``.

    Hestness et al., Deep learning scaling is predictable, 2017; Viering and Loog, The shape of learning curves, 2022.
    """

    # Limit of the score
    a: float
    # Distance from the limit with one message, and how fast the distance shrinks
    b: float
    c: float

    def __call__(self, n: ArrayLike) -> NDArray[np.float64]:
        """Return the scores with the given numbers of messages, shape (n,)."""
        return np.asarray(self.a - self.b * np.asarray(n, dtype=np.float64) ** -self.c)

    def __str__(self) -> str:
        return f"{self.a:.4f} - {self.b:.4g} n^-{self.c:.3f}"


def fit_power_law(sizes: ArrayLike, scores: ArrayLike) -> PowerLaw | None:
    """Fit a power law to scores and numbers of messages by bounded least squares.

    Returns None with fewer than `LEAST_SIZES` sizes, or if the search does not converge.
    """
    n, y = np.asarray(sizes, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if len(np.unique(n)) < LEAST_SIZES:
        return None
    most = float(n.max())

    def of_share(share: NDArray[np.float64], a: float, b: float, c: float) -> NDArray[np.float64]:
        return np.asarray(a - b * share**-c)

    start = (min(float(y.max()) + 0.01, 1.0), 0.02, 0.5)
    try:
        (a, b, c), _ = curve_fit(of_share, n / most, y, start, bounds=_BOUNDS, max_nfev=5000)
    except RuntimeError:  # the search did not converge
        return None
    return PowerLaw(float(a), float(b * most**c), float(c))


@dataclass(frozen=True)
class Outlook:
    """The extrapolated gain from twice as many messages."""

    metric: str
    # Largest number of training messages
    messages: int
    # None with too few sizes
    curve: PowerLaw | None
    # Gain of the curve from `messages` to twice as many
    gain: float | None
    # 10th and 90th percentile of the gain over resamples of the held-out messages
    gain_range: tuple[float, float] | None
    # ``yes``, ``probably``, ``little`` or ``unknown``
    answer: str

    @property
    def sentence(self) -> str:
        """The answer in words."""
        name, twice = METRIC_NAMES.get(self.metric, self.metric), f"{2 * self.messages:,} instead of {self.messages:,}"
        if self.gain is None or self.gain_range is None:
            return (
                f"Unknown whether more data would help {name}: a curve needs at least {LEAST_SIZES} sizes. Add some to "
                "learning_curve.shares."
            )
        low, high = (100 * bound for bound in self.gain_range)
        figures = f"{100 * self.gain:+.1f} points of {name} with {twice} messages (range {low:+.1f} to {high:+.1f})"
        answers = {
            "yes": f"Yes, more data would help: about {figures}",
            "probably": f"Probably more data would help: about {figures}; the hold-out is too small for certainty",
            "little": f"More data of this kind would hardly help: about {figures}",
        }
        return f"{answers[self.answer]}. This is an extrapolation."


def look_ahead(
    sizes: Sequence[int],
    truth: NDArray[np.int64],
    predictions: Sequence[NDArray[np.int64]],
    n_classes: int,
    metric: str,
    seed: int,
) -> Outlook:
    """Fit the curve and estimate the gain from twice as many messages.

    The rule is cautious: ``yes`` only if the gain exceeds half a point and does so in 90 % of the resamples;
    ``probably`` if only the estimate does; else ``little``. The resamples draw held-out messages, the same for all
    sizes; the training messages do not vary.

    `predictions` of shape (s, n) are those of the model of each of the `sizes`, for held-out messages of classes
    `truth`.
    """
    most = max(sizes)

    def gain_of(rows: NDArray[np.int64] | slice) -> tuple[PowerLaw | None, float]:
        matrices = [confusion_matrix(truth[rows], predicted[rows], n_classes) for predicted in predictions]
        curve = fit_power_law(sizes, ClassCounts.of(np.stack(matrices)).mean_f1(metric))
        return curve, 0.0 if curve is None else float(curve(2 * most) - curve(most))

    curve, gain = gain_of(slice(None))
    if curve is None:
        return Outlook(metric, most, None, None, None, "unknown")
    rng = np.random.default_rng(seed)
    gains = [gain_of(rng.integers(len(truth), size=len(truth)))[1] for _ in range(_RESAMPLES)]
    low, high = np.quantile(gains, [_TAIL, 1 - _TAIL])
    answer = "little" if gain <= WORTH else "yes" if low > WORTH else "probably"
    return Outlook(metric, most, curve, gain, (float(low), float(high)), answer)
