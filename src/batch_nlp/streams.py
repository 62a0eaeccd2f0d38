"""Output streams that cannot fail: whatever becomes of the output, the exit code says what happened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO, Any, cast


class _Lasting:
    """Writes to a stream, and ignores some errors of the stream."""

    def __init__(self, stream: IO[str], ignored: type[OSError]) -> None:
        self._stream, self._ignored = stream, ignored

    def write(self, text: str) -> int:
        # there is no other place to report this
        with suppress(self._ignored):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(self._ignored):
            self._stream.flush()

    def finish(self) -> None:
        """Drop unwritten text: Python would try to write it at its end, and change the exit code if it cannot."""
        try:
            self._stream.flush()
        except self._ignored:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Keep all errors of the error stream, such as a full disk, and a closed pipe of the output from ending the block.

    Whoever closes the pipe of the output, as ``| head`` does, wants no more of it.
    """
    # a stream that was closed from the beginning is None
    with Path(os.devnull).open("w") as nowhere:
        output, errors = _Lasting(sys.stdout or nowhere, BrokenPipeError), _Lasting(sys.stderr or nowhere, OSError)
        try:
            with redirect_stdout(cast("IO[str]", output)), redirect_stderr(cast("IO[str]", errors)):
                yield
        finally:
            output.finish()
            errors.finish()
