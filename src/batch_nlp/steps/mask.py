"""Step `mask`: what stands for itself alone, such as an address, becomes a word that all messages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from batch_nlp.errors import SettingsError
from batch_nlp.steps.base import TextStep


class Mask(TextStep):
    r"""Put a word in the place of everything in a text that matches a pattern.

    Parameters
    ----------
    patterns : mapping of str to str
        Word -> regular expression of what it replaces, in the syntax of RE2; applied in their order.

    Raises
    ------
    SettingsError
        If a pattern is no regular expression.

    Examples
    --------
    >>> messages = pd.DataFrame({"text": ["@anna look: https://example.com/1"]})
    >>> Mask({"<link>": r"https?://\S+", "<user>": r"@\w+"}).transform(messages)["text"][0]
    '<user> look: <link>'
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self.patterns = patterns
        for word, pattern in patterns.items():
            try:
                pc.match_substring_regex(pa.array([""]), pattern)
            except pa.ArrowInvalid as error:
                raise SettingsError(
                    f"{type(self).__name__}.patterns[{word}]={pattern}: {error}. Write it in the syntax of RE2, which "
                    "has neither lookarounds nor back references."
                ) from error

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with masked `text`."""
        column: Any = pa.array(X["text"], pa.string())
        for word, pattern in self.patterns.items():
            # a backslash in a replacement would name a group
            column = pc.replace_substring_regex(column, pattern, word.replace("\\", r"\\"))
        return X.assign(text=pd.Series(column.to_pylist(), X.index, object))
