"""Work in threads: results in their order, the caller's context, and no waiting for what is not wanted any more."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextvars import ContextVar

import pytest

from batch_nlp.threads import in_threads

_SETTING: ContextVar[str] = ContextVar("_SETTING", default="none")


def test_several_items_are_worked_on_at_a_time_and_the_results_keep_their_order() -> None:
    both = threading.Barrier(2, timeout=30)

    def work(item: int) -> int:
        both.wait()  # of one alone it would never end
        return 2 * item

    assert in_threads(work, range(6), 2) == [0, 2, 4, 6, 8, 10]


def test_one_thread_is_that_of_the_caller() -> None:
    assert in_threads(lambda _: threading.get_ident(), range(2), 1) == [threading.get_ident()] * 2


@pytest.mark.parametrize("threads", [1, 3])
def test_each_call_sees_the_context_of_the_caller(threads: int) -> None:
    token = _SETTING.set("given")
    try:
        assert in_threads(lambda _: _SETTING.get(), range(4), threads) == ["given"] * 4
    finally:
        _SETTING.reset(token)


def test_an_error_is_raised_while_other_threads_are_still_at_work() -> None:
    failed, go_on = threading.Event(), threading.Event()

    def work(item: int) -> None:
        if item == 0:
            failed.set()
            raise ValueError("the first one")
        assert failed.wait(30)
        assert go_on.wait(30)

    with pytest.raises(ValueError, match="the first one"):
        in_threads(work, range(3), 2)
    assert not go_on.is_set()
    go_on.set()


def test_an_interrupt_does_not_wait_for_what_the_threads_are_at() -> None:
    go_on = threading.Event()

    def work(item: int) -> bool:
        if item == 0:
            time.sleep(0.2)  # a signal just before the wait begins is noticed when the wait ends
            os.kill(os.getpid(), signal.SIGINT)
        return go_on.wait(30)

    # whoever starts the tests in the background may have them ignore the signal
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            in_threads(work, range(4), 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begun < 20
    go_on.set()
