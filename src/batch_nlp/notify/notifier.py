"""Sends notifications as the settings say: of what happened, and of a run that ends with an error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from batch_nlp.config import Config, Event, NotifyConfig, NotifyFormat, Stage
from batch_nlp.config.safety import check_variable
from batch_nlp.errors import ExitCode, FilesSetAsideError, SettingsError, exit_code_of
from batch_nlp.notify.notification import Notification
from batch_nlp.notify.webhook import NotDeliveredError, parse_address, post

# 4 and 5 have notifications of their own, and 75 only means that another run is working
_KINDS = {
    ExitCode.BUG: "a bug",
    ExitCode.SETTINGS: "a setting is unknown, of the wrong type, or cannot be satisfied",
    ExitCode.DATA: "data, a model or the disk cannot be used",
}


def check_notify(settings: NotifyConfig) -> None:
    """Refuse, before any work, an environment variable without the address of a webhook; its value is not shown."""
    if settings.format is not NotifyFormat.none:
        _address(settings)


def _address(settings: NotifyConfig) -> str:
    name = settings.url_variable
    check_variable("notify.url_variable", name)
    address = os.environ.get(name, "").strip()
    if not address:
        raise SettingsError(
            f"notify.format={settings.format.value}: the environment variable {name} is not set. It must hold the "
            "address of the webhook. Set it where the job runs (docs/operations.md), or set notify=none."
        )
    try:
        parse_address(address)
    except ValueError as error:
        raise SettingsError(
            f"The environment variable {name} does not hold the address of a webhook: {error}. (Its value is secret.)"
        ) from None
    return address


def notify(settings: NotifyConfig, notification: Notification) -> None:
    """Send a notification if the settings ask for it.

    It returns within ``notify.timeout`` times ``notify.attempts`` seconds. A notification that cannot be sent is a
    warning in the log and raises nothing, so it neither stops nor fails a job.
    """
    if settings.format is NotifyFormat.none or notification.event not in settings.events:
        return
    try:
        host = post(_address(settings), notification.body(settings.format), settings.timeout, settings.attempts)
    except (NotDeliveredError, SettingsError) as error:
        logger.warning("Not notified: {} ({})", notification.text, error)
    except Exception as error:  # noqa: BLE001 it must not fail the job, and its message may hold the address
        logger.warning("Not notified: {} ({})", notification.text, type(error).__name__)
    else:
        logger.info("Notified {}: {}", host, notification.text)


@contextmanager
def notify_failures(config: Config) -> Iterator[None]:
    """Send a notification of an error that leaves the block, and let the error through.

    The error's message stays in the log: it may quote data, and a notification leaves the machine. Only the names of
    files that were set aside are sent.
    """
    try:
        yield
    except Exception as error:
        code = exit_code_of(error)
        if code in _KINDS and set(config.pipeline.stages) != {Stage.status}:
            reason = f"{_KINDS[code]} ({type(error).__name__}); see the log of the run"
            if isinstance(error, FilesSetAsideError):
                reason = str(error)
            failure = Notification(Event.failure, config.dataset.name, reason=reason, exit_code=int(code))
            notify(config.notify, failure)
        raise
