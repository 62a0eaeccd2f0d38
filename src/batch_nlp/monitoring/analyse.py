"""Analysis of a scored batch: the verdict and the facts beside it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
from loguru import logger

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.band import BAND_RULES, for_classes, with_abstained
from batch_nlp.monitoring.findings import Analysis, Compared, Verdict
from batch_nlp.monitoring.reference_tests import compare
from batch_nlp.monitoring.rules import MOST_CLASSES, judge
from batch_nlp.monitoring.scored import Scored, ScoredBatch
from batch_nlp.monitoring.statistics.performance import estimate
from batch_nlp.monitoring.statistics.priors import estimate_priors
from batch_nlp.monitoring.what_changed import changed_words, choose_examples, explain
from batch_nlp.storage.outcomes import outcomes
from batch_nlp.storage.reference import Reference
from batch_nlp.storage.vocabulary import MAX_TEXTS, detect_languages


def analyse(
    batch: ScoredBatch,
    reference: Reference | None,
    classes: list[str],
    settings: DriftConfig,
    window: Sequence[ScoredBatch],
    seed: int,
    abstained: str | None = None,
) -> Analysis:
    """Judge a scored batch, and find out what changed.

    Parameters
    ----------
    reference, classes
        Of the model that scored the batch.
    settings : DriftConfig
        If no batch can satisfy the band with these classes, `for_classes` replaces it.
    window : sequence of ScoredBatch
        Earlier batches that the same model scored, oldest first; the last ``drift.window - 1`` are judged with the
        batch.
    abstained : str, optional
        What the model predicts for messages of no class, which count as one more class.
    """
    start = time.perf_counter()
    names = outcomes(classes, abstained)
    settings, why_others = for_classes(with_abstained(settings, abstained), names)
    if why_others:
        logger.warning("{}", why_others)
    scored = Scored.read(batch, classes, abstains=abstained is not None)
    unknown_words, languages = _texts(scored, reference)
    comparison = None
    if reference is not None and scored.n >= settings.min_messages:
        comparison = compare(scored, unknown_words, languages, reference, names, settings, seed)
    verdict = judge(scored.counts.tolist(), names, settings, comparison)
    earlier = [found for found in window if found.predictions.exists()][-(settings.window - 1) :]
    judged_window: Verdict | None = None
    if settings.window > 1:
        parts = [Scored.read(found, classes, abstains=abstained is not None) for found in earlier]
        judged_window = _judge_window([*parts, scored], reference, names, settings, seed) if parts else verdict
    out = [index for index, share in enumerate(verdict.shares) if share.out]
    out = sorted(out, key=lambda index: -scored.counts[index])[:MOST_CLASSES] if len(out) > MOST_CLASSES else out
    n = scored.n
    return Analysis(
        batch=batch.name,
        verdict=verdict,
        window=judged_window,
        window_batches=[*(found.name for found in earlier), batch.name] if settings.window > 1 else [],
        explanation=explain(n, reference is not None, comparison, settings),
        reference_shares=_by_class(names, reference.counts / reference.counts.sum()) if reference else {},
        tests=comparison.tests if comparison else [],
        confidence=Compared(_mean(scored.confidence), reference.confidence if reference else None),
        entropy=Compared(_mean(scored.entropy), reference.entropy if reference else None),
        unknown_words=Compared(
            _mean(unknown_words), _mean(reference.sample["unknown_words"].tolist()) if reference else None
        ),
        languages=_languages(languages, reference),
        changed_words=(
            changed_words(scored.words, reference.vocabulary, int(reference.counts.sum()), settings.significance)
            if comparison and reference
            else []
        ),
        estimated=estimate(scored.probabilities, scored.predicted) if n else None,
        prior_shares=(
            _by_class(classes, estimate_priors(scored.probabilities, reference.training_shares))
            if n and reference
            else {}
        ),
        examples=choose_examples(scored, batch.predictions, unknown_words, names, out),
        abstained=abstained,
        seconds=time.perf_counter() - start,
    )


def _texts(scored: Scored, reference: Reference | None) -> tuple[list[float], list[str]]:
    """Return the share of unknown words in each text of the sample, and the languages of its first texts."""
    texts = [] if scored.sample is None else scored.sample["text"][:MAX_TEXTS].tolist()
    unknown = [reference.vocabulary.unknown_share(words) for words in scored.words] if reference else []
    return unknown, detect_languages(texts)


def _judge_window(
    parts: Sequence[Scored], reference: Reference | None, classes: list[str], settings: DriftConfig, seed: int
) -> Verdict:
    """Judge several batches as one."""
    pooled = Scored.join(parts, settings.sample)
    comparison = None
    if reference is not None and pooled.n >= settings.min_messages and not set(settings.rules) <= BAND_RULES:
        comparison = compare(pooled, *_texts(pooled, reference), reference, classes, settings, seed)
    return judge(pooled.counts.tolist(), classes, settings, comparison)


def _mean(values: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _by_class(classes: list[str], shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    return dict(zip(classes, shares.tolist(), strict=True))


def _languages(found: list[str], reference: Reference | None) -> dict[str, Compared]:
    """Return the share of each language, the most frequent of the batch first."""
    now = Counter(found)
    then = Counter(reference.sample["language"].dropna().tolist()) if reference else Counter[str]()
    names = sorted(now | then, key=lambda name: (-now[name], -then[name], name))
    return {
        name: Compared(now[name] / now.total() if found else None, then[name] / then.total() if then else None)
        for name in names
    }
