"""Errors that a user can act on, each with the exit code that a scheduler can act on."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


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
    """Messages in are not messages out: a bug, never to be passed over."""


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


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a hint that names the nearest valid name, or all of them when none is near.

    Parameters
    ----------
    name : str
        What the user typed.
    valid : iterable of str
        The names that would have been accepted.

    Returns
    -------
    str
        A sentence to append to an error message.

    Examples
    --------
    >>> did_you_mean("max_deph", ["max_depth", "eta"])
    "Did you mean 'max_depth'?"
    >>> did_you_mean("q", ["high", "low"])
    'Valid: high, low.'
    """
    names = sorted(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else f"Valid: {', '.join(names)}."


def examples(values: Iterable[object], limit: int = 5) -> str:
    """Return up to `limit` values, shortened, for an error message."""
    shown = [str(value)[:80] for _, value in zip(range(limit), values, strict=False)]
    return ", ".join(shown)
