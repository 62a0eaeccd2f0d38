"""The page of a batch, for the operator who is woken by it: verdict, reason, response and advice come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from batch_nlp.config import DriftRule
from batch_nlp.monitoring.report.advice import advice, headline
from batch_nlp.monitoring.report.figures import share_figure
from batch_nlp.monitoring.report.rendering import page_templates
from batch_nlp.monitoring.report.shown import most_telling, with_parents


def batch_page(document: Mapping[str, Any], champions: Sequence[Mapping[str, Any]]) -> str:
    """Return the page; it needs no network and no scripts.

    Parameters
    ----------
    document : mapping
        From `batch_document`. Names, ids and words in it are data: they are escaped.
    champions : sequence of mappings
        From `champion_history`, oldest first.
    """
    analysis, verdict = document["analysis"], document["verdict"]
    shares, parents = analysis["verdict"]["shares"], analysis["verdict"].get("parents") or []
    shown = most_telling(shares)
    reference = with_parents(analysis["reference_shares"])
    words = [word[side] or 0.0 for word in analysis["changed_words"] for side in ("share", "reference_share")]
    values = {
        **document,
        "headline": headline(document),
        "by_window": verdict != analysis["verdict"],
        "advice": advice(document),
        "shares": [*parents, *shown],
        "parents": len(parents),
        "more": len(shares) - len(shown),
        "reference_shares": reference,
        "prior_shares": with_parents(analysis["prior_shares"]),
        "window_shares": most_telling(analysis["window"]["shares"]) if analysis["window"] else [],
        "figure": share_figure(parents or shown, reference, document["band"]) if shares else "",
        "findings": _findings(verdict),
        "tests": sorted(analysis["tests"], key=_weight),
        "longest_word": max(words, default=0.0),
        "holdout_f1": _holdout_f1(document["model_version"], champions),
        "champions": champions,
    }
    return page_templates().get_template("batch.html").render(values)


def _findings(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the rules found; nothing where the verdict's own reason says it all."""
    found = list(verdict["findings"])
    return [] if all(finding["rule"] == DriftRule.share.value for finding in found) else found


def _weight(test: Mapping[str, Any]) -> tuple[bool, float]:
    """Return where a comparison stands: first what counts, then what chance explains least."""
    return not test["counts"], 1.0 if test["p_adjusted"] is None else test["p_adjusted"]


def _holdout_f1(version: str | None, champions: Sequence[Mapping[str, Any]]) -> float | None:
    known = {champion["version"]: champion.get("metrics", {}).get("f1_macro") for champion in champions}
    return known.get(version)
