"""The language of a text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

UNKNOWN = "unknown"
# Of more texts the language is not asked for, and of a long one its beginning is enough
MAX_TEXTS, MAX_CHARS = 500, 300
# What it takes to be told: letters, and the identifier's own confidence
_MIN_LETTERS, _MIN_CONFIDENCE = 15, 0.5


@cache
def _identifier() -> Any:
    # loading takes half a second; the package comes without types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_languages(texts: Iterable[str]) -> list[str]:
    """Return the language of each text as an ISO 639 code, `UNKNOWN` where it is too short or not clear.

    Examples
    --------
    >>> detect_languages(["The food was great and the staff were friendly", "Ok!!", "Das Essen war leider ganz kalt"])
    ['en', 'unknown', 'de']
    """
    return [_detect(text[:MAX_CHARS]) for text in texts]


def _detect(text: str) -> str:
    if sum(map(str.isalpha, text)) < _MIN_LETTERS:
        return UNKNOWN
    language, confidence = _identifier().classify(text)
    return str(language) if confidence >= _MIN_CONFIDENCE else UNKNOWN
