"""All tests of a batch against the champion's hold-out, corrected together for their number."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.config import DriftConfig
from batch_nlp.fields import Fields
from batch_nlp.monitoring.findings import Compared, Comparison, TestResult
from batch_nlp.monitoring.rules import CLASSES_CHI_SQUARE, EMBEDDING_AUC
from batch_nlp.monitoring.scored import Scored
from batch_nlp.monitoring.statistics.distances import Distance, jensen_shannon, null_p_value, psi
from batch_nlp.monitoring.statistics.domain import domain_auc
from batch_nlp.monitoring.statistics.homogeneity import chi_square, holm, ks
from batch_nlp.storage.reference import Reference, entropies, of_predicted

# Smallest Kolmogorov-Smirnov distance that matters: a tenth of the messages have moved
MIN_KS = 0.1
# Most and fewest messages of each side that the classifier on embeddings is fitted on
MAX_EMBEDDINGS, MIN_EMBEDDINGS = 1000, 30
# So many draws take well under a second
MAX_DRAWS = 200_000
# Categories with fewer messages on both sides together are pooled
_MIN_CATEGORY = 10

# Name, kind, statistic, p-value, and whether the difference is large enough to matter
_Test = tuple[str, str, float, float, bool]


def compare(
    scored: Scored,
    unknown_words: Sequence[float],
    languages: Sequence[str],
    reference: Reference,
    classes: Sequence[str],
    settings: DriftConfig,
    seed: int,
) -> Comparison:
    """Compare a batch of at least one message with the champion's hold-out.

    `unknown_words` is the share of unknown words in each message of the sample, `languages` are those of its first
    messages.
    """
    shares = scored.counts / scored.n, reference.counts / reference.counts.sum()
    confidence = Compared(float(scored.confidence.mean()), reference.confidence)
    tests = _quality(scored, reference, settings)
    if scored.sample is not None and len(scored.sample):
        tests += _features(scored.sample, reference, settings)
        tests.append(_ks("unknown words", np.asarray(unknown_words), reference.sample["unknown_words"].to_numpy()))
        before = reference.sample["language"].dropna().tolist()
        tests.append(_categories("language", list(languages), before, settings))
        tests += _embeddings(scored.sample, reference, settings, seed)
    # plus the three tests of the predicted classes
    draws = max(settings.resamples, _needed_draws(len(tests) + 3, settings.significance))
    tests = _classes(scored.counts, reference.counts, settings, draws, seed) + tests
    adjusted = holm([test[3] for test in tests])
    return Comparison(
        {name: Compared(float(now), float(then)) for name, now, then in zip(classes, *shares, strict=True)},
        confidence,
        [
            TestResult(name, kind, value, p_value, corrected, large and corrected < settings.significance)
            for (name, kind, value, p_value, large), corrected in zip(tests, adjusted, strict=True)
        ],
    )


def _needed_draws(tests: int, significance: float) -> int:
    """Return the number of draws with which the p-value of an extreme batch can survive the correction.

    It is five times the minimum, so that a few equally extreme draws do not change the outcome.
    """
    return min(ceil(5 * tests / significance), MAX_DRAWS)


def _classes(
    counts: NDArray[np.int64], other: NDArray[np.int64], settings: DriftConfig, draws: int, seed: int
) -> list[_Test]:
    # near zero, the squared distance in bits is the index / (8 ln 2), so that both bounds are equally strict
    bounds: list[tuple[str, Distance, float]] = [
        ("psi", psi, settings.min_psi),
        ("jensen-shannon", jensen_shannon, sqrt(settings.min_psi / (8 * log(2)))),
    ]
    tests: list[_Test] = []
    for name, distance, bound in bounds:
        value = distance(counts, other)
        p_value = null_p_value(distance, counts, other, draws, seed)
        tests.append((f"{name} of the predicted classes", "mix", value, p_value, value >= bound))
    change = np.abs(counts / counts.sum() - other / other.sum()).max()
    value, p_value = chi_square(counts, other)
    return [*tests, (CLASSES_CHI_SQUARE, "mix", value, p_value, bool(change >= settings.min_share_change))]


def _quality(scored: Scored, reference: Reference, settings: DriftConfig) -> list[_Test]:
    probabilities = np.stack(reference.sample["probabilities"].to_list())
    before = of_predicted(probabilities, reference.sample["predicted_class"].to_numpy())
    change = abs(float(scored.confidence.mean()) - reference.confidence)
    value, p_value = ks(scored.confidence, before)
    sure = ("ks of the confidence", "quality", value, p_value, change >= settings.min_confidence_drop)
    return [sure, _ks("the entropy", scored.entropy, entropies(probabilities), "quality")]


def _features(sample: pd.DataFrame, reference: Reference, settings: DriftConfig) -> list[_Test]:
    other, fields = reference.sample, Fields(field for field in reference.fields if field.drifts)
    # missing values rank below all others, so that values that appear or disappear count as a change
    tests = [
        _ks(name, sample[name].fillna(-np.inf).to_numpy(), other[name].fillna(-np.inf).to_numpy())
        for name in fields.numbers
    ]
    categories = (
        _categories(name, sample[name].fillna("none").tolist(), other[name].fillna("none").tolist(), settings)
        for name in fields.categories
    )
    return [*tests, *categories]


def _ks(name: str, sample: NDArray[np.float64], other: NDArray[np.float64], kind: str = "mix") -> _Test:
    value, p_value = ks(sample, other)
    return f"ks of {name}", kind, value, p_value, value >= MIN_KS


def _categories(name: str, sample: list[str], other: list[str], settings: DriftConfig) -> _Test:
    """Return the chi-square test of a category; its population stability index says whether the difference matters."""
    table = pd.DataFrame({"now": pd.Series(sample).value_counts(), "then": pd.Series(other).value_counts()})
    table = table.fillna(0).astype(int)
    rare = table.sum(axis=1) < _MIN_CATEGORY
    counts, before = (np.append(table.loc[~rare, side], table.loc[rare, side].sum()) for side in ("now", "then"))
    value, p_value = chi_square(counts, before)
    return f"chi-square of {name}", "mix", value, p_value, psi(counts, before) >= settings.min_psi


def _embeddings(sample: pd.DataFrame, reference: Reference, settings: DriftConfig, seed: int) -> list[_Test]:
    if not reference.fields.vectors:
        return []
    vectors = [frame[reference.fields.vectors[0]] for frame in (sample, reference.sample)]
    # features without an embedding have empty vectors
    if min(int(found.map(len).gt(0).sum()) for found in vectors) < MIN_EMBEDDINGS:
        return []
    now, then = (np.stack(found[:MAX_EMBEDDINGS].to_list()) for found in vectors)
    value, p_value = domain_auc(now, then, seed)
    return [(EMBEDDING_AUC, "mix", value, p_value, value >= settings.min_auc)]
