"""Step `strip_html`: remove HTML mark-up from texts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from batch_nlp.steps.base import TextStep

_NO_WORDS = r"(?is)<!--.*?-->|<script\b.*?</script\s*>|<style\b.*?</style\s*>"
_ATTRIBUTE = r"""\s+[a-z][\w:-]*\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+)"""
# a truncated tag lacks its bracket, and is recognised by its attributes
_TAG = rf"(?i)</?[a-z][\w:-]*(?:{_ATTRIBUTE})+\s*/?>?|</?[a-z][\w:-]*(?:\s[^<>]*)?/?>"


class StripHtml(TextStep):
    """Remove HTML tags, comments, scripts and style sheets; any other ``<`` stays.

    Examples
    --------
    >>> messages = pd.DataFrame({"text": ['<b>5 < 6</b><br>was <i>true</i> <span class="a"']})
    >>> StripHtml().transform(messages)["text"][0]
    '5 < 6 was true'
    """

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages without mark-up in `text`."""
        column: Any = pa.array(X["text"], pa.string())
        for pattern in (_NO_WORDS, _TAG, " {2,}"):
            column = pc.replace_substring_regex(column, pattern, " ")
        return X.assign(text=pd.Series(pc.utf8_trim_whitespace(column).to_pylist(), X.index, object))
