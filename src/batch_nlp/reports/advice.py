"""What was done about a verdict, and what is left for a person to do, in the sentences of ``advice.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from batch_nlp.config.commands import command


def headline(document: Mapping[str, Any]) -> str:
    """Return verdict and response of a batch in a few words.

    Parameters
    ----------
    document : mapping
        From `batch_document`.
    """
    return str(_said_of(document)["headline"])


def advice(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to tell the operator.

    Parameters
    ----------
    document : mapping
        From `batch_document`.

    Returns
    -------
    dict
        ``done`` (what was done), ``why`` (empty where that says it), ``urgent`` (whether something waits for a person)
        and ``steps``, each with a ``text`` and, where there is something to type, its ``command``.
    """
    said, answer = _said_of(document), document.get("answer") or {}
    champion = answer.get("champion")
    facts = {
        **answer,
        "reason": answer.get("reason") or "",
        "dataset": document.get("dataset"),
        "stays": f"The champion {champion} stays." if champion else "The champion stays.",
    }
    return {
        "done": said["done"].format(**facts),
        "why": said.get("why", "").format(**facts),
        "urgent": said.get("urgent", False),
        "steps": [
            {"text": step["text"].format(**facts), "command": _command(step, document)}
            for step in said.get("steps", [])
            if "needs" not in step or facts.get(step["needs"])
        ],
    }


def _command(step: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    calls = [command([f"pipeline={name}"], document.get("places", [])) for name in step.get("pipelines", [])]
    return " && ".join(calls) or None


def _said_of(document: Mapping[str, Any]) -> dict[str, Any]:
    status, answer = document["verdict"]["status"], document.get("answer")
    found: dict[str, Any]
    if status == "drift" and answer is not None:
        found = _texts()["actions"][answer["action"]]
    else:
        found = _texts()["verdicts"][status]
    return found


@cache
def _texts() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((files(__package__) / "advice.yaml").read_text(encoding="utf-8"))
    return found
