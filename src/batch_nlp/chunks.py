"""Texts as chunks between spaces: each different chunk is looked at once, however often it occurs.

A hundred thousand messages hold ten million chunks and a hundred thousand different ones. What is made of a chunk
(tokens, words) is remembered, so that a text costs little more than looking its chunks up.
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
# Chunks that are remembered at most, and characters beyond which one is not a word that comes again
_REMEMBERED, _CHARS = 200_000, 64


class Split(NamedTuple):
    """Texts as chunks."""

    # Each chunk once, shape (n_different,)
    different: pa.Array
    # The chunks of all texts, one text after the other, as positions in `different`, shape (n_chunks,)
    codes: NDArray[np.int32]
    # Where the chunks of each text begin, and where those of the last one end, shape (n_texts + 1,)
    bounds: NDArray[np.int64]


class Numbered(NamedTuple):
    """Texts as numbers."""

    # The numbers of all texts, one text after the other, shape (n_numbers,)
    flat: NDArray[np.int32]
    # Where the numbers of each text end, shape (n_texts,)
    ends: NDArray[np.int64]


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold and no tokenizer accepts, by U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def split_chunks(texts: Sequence[str]) -> Split:
    """Split texts, which must be without lone surrogates, at spaces, U+0020, alone.

    Between two spaces lies an empty chunk.
    """
    split: pa.ListArray = pc.split_pattern(pa.array(texts, pa.large_string()), " ")
    encoded = split.flatten().dictionary_encode()
    return Split(encoded.dictionary, encoded.indices.to_numpy(), split.offsets.to_numpy().astype(np.int64))


class Chunks:
    """Turns texts into numbers, chunk by chunk.

    Parameters
    ----------
    number : callable
        Returns the numbers of each of some chunks; a text's numbers are those of its chunks in their order.
    """

    def __init__(self, number: Callable[[list[str]], Sequence[Sequence[int]]]) -> None:
        self._number = number
        self._remembered: dict[str, Sequence[int]] = {}

    def __call__(self, texts: Sequence[str]) -> Numbered:
        """Return the numbers of some texts, which must be without lone surrogates."""
        different, codes, bounds = split_chunks(texts)
        numbers = self._look_up(different.to_pylist())
        lengths = np.fromiter(map(len, numbers), np.int64, len(numbers))
        known = np.fromiter(chain.from_iterable(numbers), np.int32, int(lengths.sum()))
        starts = np.cumsum(lengths) - lengths
        taken = lengths[codes]
        ends = np.cumsum(taken)
        # of each chunk its place among the known numbers, and from there as many as it has
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
