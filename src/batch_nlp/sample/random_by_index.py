"""Random numbers that are a function of an index, so that they can be computed again at any time."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
Float = NDArray[np.float64]
Draw = Callable[[], int]
Item = TypeVar("Item")

ID_CHARS = 22
_BLOCK = 16384


def _hashed(index: Index, name: str) -> NDArray[np.uint64]:
    """Return SplitMix64 of each index; it is bijective, so ids never collide.

    Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    start = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
    state = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def uniform(seed: int, name: str, index: Index) -> Float:
    """Return a number in [0, 1) per index, determined by seed, name and index."""
    return (_hashed(index, f"{seed}/{name}") >> np.uint64(11)).astype(np.float64) * 2.0**-53


def ids(seed: int, name: str, index: Index) -> list[str]:
    """Return ids in Yelp's alphabet and length, unique per index of a name."""
    words = np.stack([_hashed(index, f"{seed}/{name}/{part}") for part in range(3)], axis=1)
    # 24 bytes are 32 characters of base64 without padding; the first 22 contain the whole first word
    text = urlsafe_b64encode(words.astype("<u8").tobytes()).decode("ascii")
    return [text[start : start + ID_CHARS] for start in range(0, len(text), 32)]


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Return the generator of a stream, independent of all other streams."""
    return np.random.Generator(np.random.PCG64([seed, *stream]))


def evenly(random: np.random.Generator, size: int) -> Float:
    """Return evenly spread uniform numbers, so that even a small batch has the requested shares."""
    return (random.permutation(size) + random.random(size)) / size


def integers(random: np.random.Generator) -> Draw:
    """Return a function that returns single random integers of 30 bits; NumPy is slow for single numbers."""

    def block() -> list[int]:
        values: list[int] = random.integers(0, 1 << 30, _BLOCK).tolist()
        return values

    return chain.from_iterable(iter(block, None)).__next__


def pick(items: Sequence[Item], draw: Draw) -> Item:
    """Return a random item."""
    return items[draw() % len(items)]
