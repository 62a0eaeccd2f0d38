"""Step `mask`: replace unique parts of a text, such as addresses, by common words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from batch_nlp.errors import SettingsError
from batch_nlp.steps.base import TextStep


class Mask(TextStep):
    r"""Replace everything in a text that matches a pattern by a word.

    Parameters
    ----------
    patterns : mapping of str to str
        Word -> regular expression (RE2 syntax) of what it replaces, applied in order.

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
                    f"{type(self).__name__}.patterns[{word}]={pattern}: {error}. Use RE2 syntax, which has neither "
                    "lookarounds nor back references."
                ) from error

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with masked `text`."""
        column: Any = pa.array(X["text"], pa.string())
        for word, pattern in self.patterns.items():
            # a backslash in the replacement would refer to a group
            column = pc.replace_substring_regex(column, pattern, word.replace("\\", r"\\"))
        return X.assign(text=pd.Series(column.to_pylist(), X.index, object))
