"""What a model may predict: its classes, and after them the name of messages from which it abstains, if it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def abstained_name(manifest: Mapping[str, Any]) -> str | None:
    """Return the name that a model predicts for messages of no class; None if it always predicts a class."""
    name: str | None = manifest.get("abstained")
    return name


def outcomes(classes: list[str], abstained: str | None) -> list[str]:
    """Return the names that can be predicted, by their index; a hierarchy stays one.

    Examples
    --------
    >>> outcomes(["bug", "praise"], "none_of_these")
    ['bug', 'praise', 'none_of_these']
    """
    return classes if abstained is None else type(classes)([*classes, abstained])
