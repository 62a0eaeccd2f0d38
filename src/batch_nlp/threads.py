"""Threads: several items at a time, or the next item prepared during the work on the last one."""

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

# Seconds between a waiting thread's checks whether it must end
_PATIENCE = 0.1


def in_threads(function: Callable[[T], R], items: Sequence[T], threads: int) -> list[R]:
    """Apply a function to each item in threads, and return the results in the order of the items.

    This helps if the function works outside Python's global lock, as NumPy and SciPy mostly do. Each call sees the
    context variables of the caller. With one thread, the calling thread does the work. An interrupt is raised at once;
    the work of the other threads is lost.
    """
    if threads == 1:
        return [function(item) for item in items]

    def call(work: tuple[Context, T]) -> R:
        context, item = work
        return context.run(function, item)

    # an executor of concurrent.futures would wait for its threads, even at the end of the process
    with ThreadPool(threads) as pool:
        # one context per item, since a context cannot be entered twice at a time
        return list(pool.imap(call, [(copy_context(), item) for item in items]))


@dataclass(frozen=True)
class _End:
    """Follows the last item, with the error that ended the iterator, if any."""

    error: BaseException | None


@contextmanager
def prefetched(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """Yield the same items, with a thread that prepares the next one ahead.

    Arrow, NumPy, SciPy, XGBoost and DuckDB work outside Python's global lock, so the thread can work on the next batch
    of messages meanwhile. The items keep their order, and errors are raised where they occur. Only the thread advances
    and closes `items`; it ends before the block does.
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
        except BaseException as raised:  # noqa: BLE001 raised again where the items are used
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
