"""What comes next is made while what came before is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

# How often a thread that waits looks whether it is still wanted, in seconds
_PATIENCE = 0.1


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
