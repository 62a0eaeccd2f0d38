"""Who is told of what, as the settings say: of what happened, and of a run that ends with an error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from batch_nlp.config import Config, Event, NotifyConfig, NotifyFormat, Stage
from batch_nlp.config.safety import check_variable
from batch_nlp.errors import BatchNlpError, ExitCode, FilesSetAsideError, SettingsError
from batch_nlp.notify.notification import Notification
from batch_nlp.notify.webhook import NotDeliveredError, parse_address, post

# 4 and 5 are told with what led to them, and 75 says only that another run works
_WHAT = {
    ExitCode.BUG: "a bug",
    ExitCode.SETTINGS: "a setting is unknown, of the wrong type, or cannot be satisfied",
    ExitCode.DATA: "data, a model or the disk cannot be used",
}


def check_notify(settings: NotifyConfig) -> None:
    """Find what would keep notifications from being sent, before any work.

    Raises
    ------
    SettingsError
        If the environment variable is not set or holds no address, or a limit is impossible. The message never holds
        the variable's value.
    """
    if settings.format is not NotifyFormat.none:
        _address(settings)


def _address(settings: NotifyConfig) -> str:
    name = settings.url_variable
    check_variable("notify.url_variable", name)
    address = os.environ.get(name, "").strip()
    if not address:
        raise SettingsError(
            f"notify.format={settings.format.value}: the environment variable {name} is not set. It holds the address "
            "of the webhook. Set it where the job runs (docs/operations.md), or say notify=none."
        )
    try:
        parse_address(address)
    except ValueError as error:
        raise SettingsError(
            f"The environment variable {name} holds no address of a webhook: {error}. (Its value is not shown.)"
        ) from None
    return address


def notify(settings: NotifyConfig, notification: Notification) -> None:
    """Tell of one thing that happened, if the settings ask for it.

    It returns within ``notify.timeout`` times ``notify.attempts`` seconds. What could not be told is a warning in the
    log; nothing is raised, so that a notification neither stops nor fails a job.

    Parameters
    ----------
    settings : NotifyConfig
    notification : Notification
    """
    if settings.format is NotifyFormat.none or notification.event not in settings.events:
        return
    try:
        host = post(_address(settings), notification.body(settings.format), settings.timeout, settings.attempts)
    except (NotDeliveredError, SettingsError) as error:
        logger.warning("Nobody could be told of this: {} ({})", notification.text, error)
    except Exception as error:  # noqa: BLE001 a notification must not fail the job, and its words may hold the address
        logger.warning("Nobody could be told of this: {} ({})", notification.text, type(error).__name__)
    else:
        logger.info("Told {}: {}", host, notification.text)


@contextmanager
def notify_failures(config: Config) -> Iterator[None]:
    """Tell of an error that leaves the block, and let it go on.

    The words of the error stay in the log: they may quote values of the data, and a notification leaves the machine.
    Only the names of files that were set aside are told.
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
    if isinstance(error, FilesSetAsideError):
        reason = str(error)
    notify(config.notify, Notification(Event.failure, config.dataset.name, reason=reason, exit_code=int(code)))
