"""An error stream that cannot fail: even if the log is on a full disk, the exit code says what happened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import IO, Any, cast


class _Lasting:
    """Writes to a stream, and ignores errors of the stream."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        # there is no other place to report this
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def finish(self) -> None:
        """Drop unwritten text: Python would try to write it at its end, and change the exit code if it cannot."""
        try:
            self._stream.flush()
        except OSError:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_stderr() -> Iterator[None]:
    """Keep errors of the error stream itself, for example on a full disk, from ending the block."""
    stream = _Lasting(sys.stderr)
    try:
        with redirect_stderr(cast("IO[str]", stream)):
            yield
    finally:
        stream.finish()
