"""The page of a batch, for the operator who is woken by it: verdict, reason, response and advice come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batch_nlp.config.commands import explain_command
from batch_nlp.reports.advice import advise, headline
from batch_nlp.reports.documents import HOME, classes_to_show, f1_on_hold_out, json_value, with_parents
from batch_nlp.reports.pages import render
from batch_nlp.reports.share_chart import share_chart
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.seal import write_sealed


def write_batch_report(folder: Path, document: Mapping[str, Any], champions: Sequence[Mapping[str, Any]]) -> None:
    """Write the report of a batch: its page, and the same facts as JSON, each all or nothing.

    Parameters
    ----------
    folder : Path
        ``08_reporting/batches``; the files are named for the batch.
    document : mapping
        From `batch_document`.
    champions : sequence of mappings
        From `champion_history`.
    """
    write_text(folder / f"{document['name']}.html", batch_page(document, champions))
    # last: where there is a document, there is a page
    write_sealed(folder / f"{document['name']}.json", document)


def batch_page(document: Mapping[str, Any], champions: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of a batch, from the arguments of `write_batch_report`."""
    champions = json_value(champions)
    analysis, verdict, band = document["analysis"], document["verdict"], document["band"]
    shares, parents = analysis["verdict"]["shares"], analysis["verdict"].get("parents") or []
    shown, names = classes_to_show(shares), [parent["name"] for parent in parents]
    words = [word[side] or 0.0 for word in analysis["changed_words"] for side in ("share", "reference_share")]
    reference = with_parents(analysis["reference_shares"], names)
    values = {
        **document,
        "headline": headline(document),
        "by_window": verdict != analysis["verdict"],
        "advice": advise(document),
        "card": document.get("card"),
        "home": HOME,
        # older reports have no snippets and no places
        "examples": [
            {"snippet": None, **example, "command": explain_command(example["message_id"], document.get("places", []))}
            for example in analysis["examples"]
        ],
        "shares": [*parents, *shown],
        "parents": len(parents),
        "more": len(shares) - len(shown),
        "reference_shares": reference,
        "prior_shares": with_parents(analysis["prior_shares"], names),
        "window_shares": classes_to_show(analysis["window"]["shares"]) if analysis["window"] else [],
        "chart": share_chart(parents or shown, reference, band) if shown else None,
        "findings": _findings(verdict),
        "tests": sorted(analysis["tests"], key=_weight),
        "longest_word": max(words, default=0.0),
        "hold_out_f1": f1_on_hold_out(champions).get(document["model_version"]),
        "champions": champions,
    }
    return render("batch.html", **values)


def _findings(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the rules found; nothing if the reason of the verdict says it all."""
    # documents of earlier commits say `rings`
    found: list[Mapping[str, Any]] = [{"triggers": finding.get("rings"), **finding} for finding in verdict["findings"]]
    return [] if all(finding["rule"] == "share" for finding in found) else found


def _weight(test: Mapping[str, Any]) -> tuple[bool, float]:
    """Return the place of a test in the table: first those that count, then those that chance explains least."""
    return not test["counts"], 1.0 if test["p_adjusted"] is None else test["p_adjusted"]
