"""Threads: several pieces of work at a time, or the next one made while the last one is worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# How often a thread that waits looks whether it is still wanted, in seconds
_PATIENCE = 0.1


def in_threads(function: Callable[[T], R], items: Sequence[T], threads: int) -> list[R]:
    """Return what a function makes of each item, in the order of the items.

    It pays where the function works outside Python's global lock, as NumPy and SciPy mostly do. Each call sees the
    context variables of the caller.

    Parameters
    ----------
    threads : int
        Items that are worked on at a time; with 1, by the thread that calls.

    Raises
    ------
    BaseException
        What the function raised, or what interrupts the wait, which is raised at once: what other threads are at is
        finished for nothing, or ends with the process.
    """
    if threads == 1:
        return [function(item) for item in items]

    def call(work: tuple[Context, T]) -> R:
        context, item = work
        return context.run(function, item)

    # an executor of concurrent.futures would wait for its threads, at the end of the process too
    with ThreadPool(threads) as pool:
        # a context of its own for each, since none can be entered twice at a time
        return list(pool.imap(call, [(copy_context(), item) for item in items]))


@dataclass(frozen=True)
class _End:
    """Comes after the last item, with what ended the making of them."""

    error: BaseException | None


@contextmanager
def prefetched(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """Give the same items, one of them made ahead by a thread of its own.

    Arrow, NumPy, SciPy, XGBoost and DuckDB work outside Python's global lock, so one thread's batch of messages goes on
    during the other's. The items come in their order, and nobody but the thread advances `items`.

    Parameters
    ----------
    items : iterator
        Is advanced and closed by the thread.

    Yields
    ------
    iterator
        Raises what `items` raises, in its place. When the block ends, the thread has ended too.
    """
    ready: Queue[T | _End] = Queue(maxsize=1)
    unwanted = Event()

    def put(item: T | _End) -> None:
        while not unwanted.is_set():
            with suppress(Full):
                ready.put(item, timeout=_PATIENCE)
                break

    def make() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item)
                if unwanted.is_set():
                    break
        except BaseException as raised:  # noqa: BLE001 whatever it is, it is raised again where the items are used
            error = raised
        finally:
            if close := getattr(items, "close", None):
                close()
        put(_End(error))

    def take() -> Iterator[T]:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error

    thread = Thread(target=make, name="prefetch", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        unwanted.set()
        thread.join()
