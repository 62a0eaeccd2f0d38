"""Several pieces of work at a time, in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from multiprocessing.pool import ThreadPool
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_threads(function: Callable[[T], R], items: Sequence[T], threads: int) -> list[R]:
    """Return what a function makes of each item, in the order of the items.

    It pays where the function works outside Python's global lock, as NumPy and SciPy mostly do. Each call sees the
    context variables of the caller.

    Parameters
    ----------
    function : callable
    items : sequence
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
