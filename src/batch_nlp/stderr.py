"""An error stream that cannot fail: where the log lies on a full disk, the exit code still tells what happened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import IO, Any, cast


class _Lasting:
    """Passes on to a stream what can be written there."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        # there is nobody else to be told
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def finish(self) -> None:
        """Drop what could not be written: Python would try again at its end, and then change the exit code."""
        try:
            self._stream.flush()
        except OSError:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_stderr() -> Iterator[None]:
    """Keep errors of the error stream itself, on a full disk for example, from ending what runs within."""
    stream = _Lasting(sys.stderr)
    try:
        with redirect_stderr(cast("IO[str]", stream)):
            yield
    finally:
        stream.finish()
