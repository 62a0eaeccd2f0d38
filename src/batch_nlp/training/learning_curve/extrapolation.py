"""Whether more data would help: what the curve says of twice as many messages, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

from batch_nlp.metrics.confusion import ClassCounts, confusion_matrix

# A gain that is worth the labels: half a point of F1
WORTH = 0.005
_RESAMPLES = 200
# Of the range of the gain: its lower end is exceeded by 90 % of the resamples
_TAIL = 0.1
# The metric that answers the question comes first
NAMES = {"f1_macro": "macro F1", "f1_weighted": "weighted F1"}
# Sizes from which on a curve of three parameters is more than drawn through its points
LEAST_SIZES = 4
# a is a score; b is what the largest size leaves to be gained; c is steeper than 0.05, where the curve would be a
# straight line on the logarithm of the size and never end, and 2 is as good as a step
_BOUNDS = ([0.0, 0.0, 0.05], [1.0, 1.0, 2.0])


@dataclass(frozen=True)
class PowerLaw:
    """The score ``a - b * n ** -c`` of n training messages.

    Hestness et al., Deep learning scaling is predictable, 2017; Viering and Loog, The shape of learning curves, 2022.
    """

    # The score that no number of messages exceeds
    a: float
    # How far one message falls short of it, and how fast that shrinks
    b: float
    c: float

    def __call__(self, n: ArrayLike) -> NDArray[np.float64]:
        """Return the scores of numbers of messages, shape (n,)."""
        return np.asarray(self.a - self.b * np.asarray(n, dtype=np.float64) ** -self.c)

    def __str__(self) -> str:
        return f"{self.a:.4f} - {self.b:.4g} n^-{self.c:.3f}"


def fit_power_law(sizes: ArrayLike, scores: ArrayLike) -> PowerLaw | None:
    """Return the power law through scores measured with numbers of messages, by bounded least squares.

    None for fewer than `LEAST_SIZES` sizes, or where the search does not end.
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
    except RuntimeError:  # the search did not end
        return None
    return PowerLaw(float(a), float(b * most**c), float(c))


@dataclass(frozen=True)
class Outlook:
    """What twice as many messages would bring, extrapolated."""

    metric: str
    # The largest size that was trained on
    messages: int
    # None where there are too few sizes
    curve: PowerLaw | None
    # What the curve gains from `messages` to twice as many
    gain: float | None
    # 10th and 90th percentile of the gain when held-out messages are resampled and the curve is fitted again
    gain_range: tuple[float, float] | None
    # ``yes``, ``probably``, ``little`` or ``unknown``
    answer: str

    @property
    def sentence(self) -> str:
        """The answer in words."""
        name, twice = NAMES.get(self.metric, self.metric), f"{2 * self.messages:,} instead of {self.messages:,}"
        if self.gain is None or self.gain_range is None:
            return (
                f"Whether more data would help {name} cannot be said: a curve needs at least {LEAST_SIZES} sizes. "
                "Name more in learning_curve.shares."
            )
        low, high = (100 * bound for bound in self.gain_range)
        figures = f"{100 * self.gain:+.1f} points of {name} with {twice} messages (range {low:+.1f} to {high:+.1f})"
        answers = {
            "yes": f"Yes, more data would help: about {figures}",
            "probably": f"Probably more data would help: about {figures}; the hold-out is too small to be surer",
            "little": f"More data of this kind would help little: about {figures}",
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
    """Fit the curve and say what twice as many messages would bring.

    The rule is cautious: ``yes`` only if the gain exceeds half a point and does so in 90 % of the resamples;
    ``probably`` if only the gain itself does; else ``little``. It looks no further than twice the messages. The
    resamples vary the held-out messages, together for all sizes, and not the training messages.

    Parameters
    ----------
    sizes : sequence of int
        Training messages, shape (s,).
    truth : ndarray of int, shape (n,)
        Classes of the held-out messages.
    predictions : sequence of ndarray of int, shape (s, n)
        What the model of each size predicts for them.
    metric : str
        ``f1_macro`` or ``f1_weighted``.
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
