"""A batch in words: its headline, the response, and what remains for a person to do.

The sentences are in ``advice.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from batch_nlp.config.commands import command
from batch_nlp.reports.pages import percent_short, sentence

# Classes that a headline names
_NAMED = 3


@dataclass(frozen=True)
class Headline:
    """The verdict, why it was given, and what was done about it, each in a sentence."""

    verdict: str
    why: str
    done: str

    def __str__(self) -> str:
        return f"{self.verdict}. {self.why} {self.done}"


def headline(document: Mapping[str, Any]) -> Headline:
    """Return the headline of a batch, from its `batch_document`."""
    said, verdict = _sentences_for(document), document["verdict"]
    why = _out_of_band(document) if verdict["status"] == "drift" else ""
    return Headline(said["headline"], why or sentence(verdict["reason"]), said["done"].format(**_facts(document)))


def advise(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to tell the operator of a batch, from its `batch_document`.

    The keys are ``why`` (the reason for what was done, may be empty), ``urgent`` (whether a person has to act) and
    ``steps``, each with a ``text`` and a ``command`` or None.
    """
    said, facts = _sentences_for(document), _facts(document)
    return {
        "why": said.get("why", "").format(**facts),
        "urgent": said.get("urgent", False),
        "steps": [
            {"text": step["text"].format(**facts), "command": _command(step, document)}
            for step in said.get("steps", [])
            if "needs" not in step or facts.get(step["needs"])
        ],
    }


def _out_of_band(document: Mapping[str, Any]) -> str:
    """Name the classes out of their bands, in words; empty if all are within."""
    verdict, band = document["verdict"], document.get("band") or {}
    if band.get("low") is None:
        return ""
    found = [
        words
        for share in verdict.get("parents") or verdict["shares"]
        if share["out"]
        and (words := _beyond(share, (band.get("of") or {}).get(share["name"], (band["low"], band["high"]))))
    ]
    more = f", and {len(found) - _NAMED} more classes are out" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more + "." if found else ""


def _beyond(share: Mapping[str, Any], band: Sequence[float]) -> str:
    """Return on which side of its band a class lies; empty if it lies within the band."""
    value, (low, high) = share["share"], band
    if low <= value <= high:
        return ""
    under, over = (
        f"under the {percent_short(low)} that its band asks for",
        f"over the {percent_short(high)} of its band",
    )
    edge = under if value < low else over
    return f"{share['name']} is {value:.1%} of the messages, {edge}"


def _facts(document: Mapping[str, Any]) -> dict[str, Any]:
    answer = document.get("answer") or {}
    champion = answer.get("champion")
    return {
        **answer,
        "reason": answer.get("reason") or "",
        "dataset": document.get("dataset"),
        "stays": f"The champion {champion} stays." if champion else "The champion stays.",
    }


def _command(step: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    calls = [command([f"pipeline={name}"], document.get("places", [])) for name in step.get("pipelines", [])]
    return " && ".join(calls) or None


def _sentences_for(document: Mapping[str, Any]) -> dict[str, Any]:
    status, answer = document["verdict"]["status"], document.get("answer")
    if status == "drift" and answer is not None:
        return _texts()["actions"][answer["action"]]
    return _texts()["verdicts"][status]


@cache
def _texts() -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, Any] = yaml.safe_load((files(__package__) / "advice.yaml").read_text(encoding="utf-8"))
    return found
