"""Guess the encoding of text files that are not UTF-8 and have no byte order mark."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

from batch_nlp.storage.raw.file_names import kind_of
from batch_nlp.storage.raw.opening import has_mark, unpacked

# How much of a file is inspected
_BYTES = 2**24
_FOREIGN = re.compile(r"\w*[^\W\x00-\x7f]\w*")


def find_encoding(files: Sequence[Path]) -> tuple[str | None, list[str]]:
    """Return the encoding of the files, None for UTF-8, and warnings about it."""
    plain, found = list[Path](), dict[str, tuple[Path, str]]()
    for file in files:
        if kind_of(file) == ".parquet":
            continue
        with unpacked(file) as binary:
            content = binary.read(_BYTES)
        encoding = None if has_mark(content) else encoding_of(content)
        if encoding is not None:
            foreign = _FOREIGN.search(content.decode(encoding, "replace"))
            found.setdefault(encoding, (file, foreign[0][:30] if foreign else ""))
        elif not content.isascii() and not has_mark(content):
            plain.append(file)
    if not found:
        return None, []
    encoding, (file, word) = next(iter(found.items()))
    if len(found) == 1 and not plain:
        note = f"{file.name} is not UTF-8 and is read as {encoding}; one of its words is {word!r}"
        return encoding, [f"{note}. If the word is wrong, set messages.encoding in the dataset's file"]
    other = plain[0].name if plain else next(file.name for key, (file, _) in found.items() if key != encoding)
    return None, [f"{file.name} is encoded in {encoding}, and {other} differently. Save all files as UTF-8"]


def encoding_of(content: bytes) -> str | None:
    """Return the likely encoding of text, None for UTF-8, even with a few invalid bytes.

    Examples
    --------
    >>> [encoding_of("für".encode(encoding)) for encoding in ("utf-8", "cp1252", "utf-16-le")]
    [None, 'cp1252', 'utf-16-le']
    """
    even, odd = content[::2].count(0), content[1::2].count(0)
    if max(even, odd) > len(content) / 8:
        return "utf-16-be" if even > odd else "utf-16-le"
    # the content may end within a character
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(content)
    wrong = text.count("\ufffd")
    if not wrong or wrong <= sum(not char.isascii() for char in text) - wrong:
        return None
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"
