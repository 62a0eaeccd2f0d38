"""Whether the mix of messages changed, or how sure the model is, in words."""

from __future__ import annotations

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.facts import Comparison
from batch_nlp.monitoring.rules import NO_REFERENCE, less_sure, name_tests


def explain(n: int, has_reference: bool, comparison: Comparison | None, settings: DriftConfig) -> str:
    """Say what changed since the champion's hold-out: which messages came, or how sure the model is of them.

    Parameters
    ----------
    n : int
        Messages of the batch.
    has_reference : bool
        Whether the champion keeps a reference.
    comparison : Comparison or None
        The batch beside the hold-out.
    settings : DriftConfig
    """
    if not has_reference:
        return NO_REFERENCE
    if comparison is None:
        return f"{n} messages are too few to be compared with the hold-out" if n else "no messages"
    mix = [test for test in comparison.tests if test.kind == "mix" and test.counts]
    now, before = comparison.confidence.batch or 0.0, comparison.confidence.reference or 0.0
    figures = f"({now:.2f} where it was {before:.2f})"
    changed = f"the mix of messages changed ({name_tests(mix)})"
    if less_sure(comparison, settings):
        sure = f"the model is less sure {figures}"
        return f"{changed}, and {sure}" if mix else f"{sure}, the mix of messages is as before"
    quality = [test for test in comparison.tests if test.kind == "quality" and test.counts]
    if quality:
        surer = now - before >= settings.min_confidence_drop
        sure = f"the model is {'surer' if surer else 'as sure on average, but not message by message'} {figures}"
        return f"{changed}, {sure}" if mix else f"{sure}, the mix of messages is as before"
    if mix:
        return f"{changed}, the model is as sure as before"
    if any(test.p_adjusted < settings.significance for test in comparison.tests):
        return "what differs beyond chance is too small to matter"
    return "nothing differs beyond chance"
