"""Step `clean_text`: bring texts to one form, without control characters."""

from __future__ import annotations

import html
import unicodedata
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from batch_nlp.steps.base import TextStep

# RE2: a control character, white space other than a space, or two spaces
_NOT_ONE_SPACE = r"[\p{Cc}\p{Zl}\p{Zp}\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]|  "


class CleanText(TextStep):
    """Unescape HTML, normalise Unicode (NFC), and replace control characters and white space by single spaces.

    Case, punctuation and emoji stay, since they carry sentiment.

    Parameters
    ----------
    max_chars : int
        Maximum length; longer texts are cut.
    """

    def __init__(self, max_chars: int = 20000) -> None:
        self.max_chars = max_chars

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with clean `text`."""
        # cut generously first, so that huge texts stay cheap; unescaping shortens texts
        # (not pyarrow's utf8_normalize: pyarrow 25 does not compose characters)
        texts = [unicodedata.normalize("NFC", html.unescape(text[: 4 * self.max_chars])) for text in X["text"]]
        # unescape follows HTML5 and turns surrogates such as &#xD800; into U+FFFD
        column: Any = pa.array(texts, pa.string())
        # searching takes a tenth of the time of replacing, and most texts need no replacement
        found = pc.match_substring_regex(column, _NOT_ONE_SPACE)
        replaced = pc.replace_substring_regex(column.filter(found), r"[\p{Cc}\p{Z}\s]+", " ")
        column = pc.replace_with_mask(column, found, replaced)
        column = pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(column), 0, self.max_chars)
        return X.assign(text=pd.Series(column.to_pylist(), X.index, object))
