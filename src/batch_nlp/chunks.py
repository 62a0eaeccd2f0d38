"""Split texts into chunks at spaces, and process each distinct chunk once.

A hundred thousand messages contain ten million chunks, but only a hundred thousand distinct ones. The result for a
chunk (tokens, words) is remembered, so a text costs little more than looking its chunks up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_SURROGATE = re.compile("[\ud800-\udfff]")
# Maximum number of remembered chunks, and their maximum length: longer ones are not words that recur
_REMEMBERED, _CHARS = 200_000, 64


class Split(NamedTuple):
    """Texts as chunks."""

    # Each chunk once, shape (n_different,)
    different: pa.Array
    # The chunks of all texts in sequence, as positions in `different`, shape (n_chunks,)
    codes: NDArray[np.int32]
    # Start of each text's chunks, and the end of the last text's chunks, shape (n_texts + 1,)
    bounds: NDArray[np.int64]


class Numbered(NamedTuple):
    """Texts as numbers."""

    # The numbers of all texts in sequence, shape (n_numbers,)
    flat: NDArray[np.int32]
    # End of each text's numbers, shape (n_texts,)
    ends: NDArray[np.int64]


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-8 and tokenizers do not accept, by U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def split_chunks(texts: Sequence[str]) -> Split:
    """Split texts without lone surrogates at spaces (U+0020) only.

    Two consecutive spaces enclose an empty chunk.
    """
    split: pa.ListArray = pc.split_pattern(pa.array(texts, pa.large_string()), " ")
    encoded = split.flatten().dictionary_encode()
    return Split(encoded.dictionary, encoded.indices.to_numpy(), split.offsets.to_numpy().astype(np.int64))


class Chunks:
    """Converts texts to numbers: those that `number` returns for the chunks of a text, in order."""

    def __init__(self, number: Callable[[list[str]], Sequence[Sequence[int]]]) -> None:
        self._number = number
        self._remembered: dict[str, Sequence[int]] = {}

    def __call__(self, texts: Sequence[str]) -> Numbered:
        """Return the numbers of texts without lone surrogates."""
        different, codes, bounds = split_chunks(texts)
        numbers = self._look_up(different.to_pylist())
        lengths = np.fromiter(map(len, numbers), np.int64, len(numbers))
        known = np.fromiter(chain.from_iterable(numbers), np.int32, int(lengths.sum()))
        starts = np.cumsum(lengths) - lengths
        taken = lengths[codes]
        ends = np.cumsum(taken)
        # positions of each chunk's numbers among the known numbers
        places = np.repeat(starts[codes] - (ends - taken), taken) + np.arange(int(taken.sum()))
        return Numbered(known[places], np.concatenate(([0], ends))[bounds[1:]])

    def _look_up(self, chunks: list[str]) -> list[Sequence[int]]:
        remembered = self._remembered
        new = [chunk for chunk in chunks if chunk not in remembered]
        found = dict(zip(new, self._number(new), strict=True)) if new else {}
        numbers = [remembered[chunk] if chunk in remembered else found[chunk] for chunk in chunks]
        if len(remembered) + len(found) > _REMEMBERED:
            remembered.clear()
        remembered.update((chunk, of_chunk) for chunk, of_chunk in found.items() if len(chunk) <= _CHARS)
        return numbers
