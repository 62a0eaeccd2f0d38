"""Items that are made ahead by a thread: the same items, the same errors, and nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from batch_nlp.threads import prefetched


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "prefetch"]


def test_the_items_come_in_their_order_and_the_next_one_is_made_meanwhile() -> None:
    second_made = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        second_made.set()
        yield from range(1, 50)

    with prefetched(items()) as ahead:
        assert next(ahead) == 0
        assert second_made.wait(10)
        assert list(ahead) == list(range(1, 50))
    assert not _threads()


def test_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 0
        raise ValueError("the third line is broken")

    with prefetched(items()) as ahead:
        assert next(ahead) == 0
        with pytest.raises(ValueError, match="third line"):
            next(ahead)
    assert not _threads()


def test_whoever_stops_in_between_leaves_nothing_running_or_open() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            closed.set()

    def interrupted() -> None:
        with prefetched(items()) as ahead:
            assert next(ahead) == 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert closed.is_set()
    assert not _threads()
