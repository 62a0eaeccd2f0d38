"""Who is told of what, as the settings say."""

from __future__ import annotations

import os

from loguru import logger

from batch_nlp.config import NotifyConfig, NotifyFormat
from batch_nlp.config.composition import check_variable
from batch_nlp.errors import SettingsError
from batch_nlp.notify.notice import Notice
from batch_nlp.notify.webhook import NotDeliveredError, parse_address, post


def check_notify(settings: NotifyConfig) -> None:
    """Find what would keep notifications from being sent, before any work.

    Raises
    ------
    SettingsError
        If the environment variable is not set or holds no address, or a limit is impossible. The message never holds
        the variable's value.
    """
    if settings.timeout <= 0:
        raise SettingsError(f"notify.timeout={settings.timeout:g}: need more than 0 seconds.")
    if settings.attempts < 1:
        raise SettingsError(f"notify.attempts={settings.attempts}: need at least 1.")
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


def notify(settings: NotifyConfig, notice: Notice) -> None:
    """Tell of one thing that happened, if the settings ask for it.

    It returns within ``notify.timeout`` times ``notify.attempts`` seconds. What could not be told is a warning in the
    log; nothing is raised, so that a notification neither stops nor fails a job.

    Parameters
    ----------
    settings : NotifyConfig
    notice : Notice
    """
    if settings.format is NotifyFormat.none or notice.event not in settings.events:
        return
    try:
        host = post(_address(settings), notice.body(settings.format), settings.timeout, settings.attempts)
    except (NotDeliveredError, SettingsError) as error:
        logger.warning("Nobody could be told of this: {} ({})", notice.text, error)
    except Exception as error:  # noqa: BLE001 a notification must not fail the job, and its words may hold the address
        logger.warning("Nobody could be told of this: {} ({})", notice.text, type(error).__name__)
    else:
        logger.info("Told {}: {}", host, notice.text)
