"""Tells of a run that ends with an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batch_nlp.config import Config, Event, Stage
from batch_nlp.errors import BatchNlpError, ExitCode
from batch_nlp.notify.notice import Notice
from batch_nlp.notify.notifier import notify

# 4 and 5 are told with what led to them, and 75 says only that another run works
_WHAT = {
    ExitCode.BUG: "a bug",
    ExitCode.SETTINGS: "a setting is unknown, of the wrong type, or cannot be satisfied",
    ExitCode.DATA: "data, a model or the disk cannot be used",
}


@contextmanager
def failures_told(config: Config) -> Iterator[None]:
    """Tell of an error that leaves the block, and let it go on.

    The words of the error stay in the log: they may quote values of the data, and a notification leaves the machine.

    Parameters
    ----------
    config : Config
    """
    try:
        yield
    except BatchNlpError as error:
        _tell(config, error.exit_code, error)
        raise
    except OSError as error:  # as the command line reads it
        _tell(config, ExitCode.DATA, error)
        raise
    except Exception as error:
        _tell(config, ExitCode.BUG, error)
        raise


def _tell(config: Config, code: ExitCode, error: Exception) -> None:
    if code not in _WHAT or set(config.pipeline.stages) == {Stage.status}:  # who only looks tells nobody
        return
    reason = f"{_WHAT[code]} ({type(error).__name__}); the log of the run says more"
    notify(config.notify, Notice(Event.failure, config.dataset.name, reason=reason, exit_code=int(code)))
