"""Errors that a user can act on, each with the exit code that a scheduler can act on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from enum import IntEnum
from itertools import islice

# Number of values that a message shows
_EXAMPLES = 5
# Number of valid names that a message shows
_NAMES = 50


class ExitCode(IntEnum):
    """Exit codes of the command line; part of the public interface."""

    DONE = 0
    BUG = 1
    SETTINGS = 2
    DATA = 3
    DRIFT = 4
    GATE = 5
    LOCKED = 75
    INTERRUPTED = 130


class BatchNlpError(Exception):
    """An expected failure: its message says what is wrong, where, how many, and what to do next."""

    exit_code = ExitCode.BUG


class AccountingError(BatchNlpError):
    """Messages are missing or counted twice: a bug, never ignored."""


class SettingsError(BatchNlpError):
    """A setting is unknown, of the wrong type, or cannot be satisfied."""

    exit_code = ExitCode.SETTINGS


class DataError(BatchNlpError):
    """The data cannot be used: missing, damaged, or not what its contract says."""

    exit_code = ExitCode.DATA


class DriftError(BatchNlpError):
    """Drift was found and not acted on."""

    exit_code = ExitCode.DRIFT


class GateError(BatchNlpError):
    """A candidate failed its gate; the champion stays."""

    exit_code = ExitCode.GATE


class LockedError(BatchNlpError):
    """Another run holds the lock; trying again later helps."""

    exit_code = ExitCode.LOCKED


class FilesSetAsideError(DataError):
    """Unusable files were left out, and all other work was done; the names of the files may leave the machine."""

    def __init__(self, names: Sequence[str]) -> None:
        more = ", ..." * (len(names) > _EXAMPLES)
        super().__init__(
            f"{len(names):,} file(s) of the drop folders were set aside, and the rest was done without them: "
            f"{examples(names)}{more}. See the log for what is wrong with each. Repair, replace or remove them; until "
            "then, every run tries them again."
        )


def none_readable(number: int) -> str:
    """Say that none of the rows of a file can be read."""
    return "its only row cannot be read" if number == 1 else f"none of its {number:,} rows can be read"


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code that the command line has for an error."""
    if isinstance(error, BatchNlpError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    return ExitCode.DATA if isinstance(error, OSError) else ExitCode.BUG


def printable(text: object, length: int | None = 100, instead: str | None = None) -> str:
    r"""Return foreign text for display: on one line, without control characters, cut to a length (None: whole).

    `instead` replaces each character that cannot be shown; by default, its escape sequence does.

    Examples
    --------
    >>> printable("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    >>> printable("caf\udce9.json")  # how Python gives a file name that is not UTF-8
    'caf\\xe9.json'
    >>> printable("seven words", length=8)
    'seven...'
    """
    found = str(text)
    start = found if length is None else found[: length + 1]
    shown = "".join(
        character if character.isprintable() else _escaped(character) if instead is None else instead
        for character in start
    )
    return shown if length is None or len(shown) <= length else f"{shown[: length - 3]}..."


def _escaped(character: str) -> str:
    byte = ord(character) - 0xDC00  # Python decodes each invalid byte as a surrogate
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode()


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a sentence with the nearest valid name, or with all of them if no name is near.

    Examples
    --------
    >>> did_you_mean("max_deph", ["max_depth", "eta"])
    "Did you mean 'max_depth'?"
    >>> did_you_mean("q", ["high", "low"])
    'Valid: high, low.'
    """
    names = sorted(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    more = ", ..." * (len(names) > _NAMES)
    return f"Did you mean {printable(close[0])!r}?" if close else f"Valid: {examples(names, _NAMES)}{more}."


def examples(values: Iterable[object], limit: int = _EXAMPLES) -> str:
    """Return up to `limit` values, printable and cut, for an error message."""
    return ", ".join(map(printable, islice(values, limit)))


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> count(1, "batch", "batches"), count(1200, "message")
    ('1 batch', '1,200 messages')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
