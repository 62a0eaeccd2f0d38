"""Posts a document to a webhook in a bounded time, and keeps the webhook's address secret.

Whoever has the address of a webhook can post to it. So no log line, error or exception that leaves this module holds
more of the address than its host.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

# httpx and stamina are imported where they are used: most runs notify nobody
if TYPE_CHECKING:
    from httpx import URL, Client, HTTPError, Response

# Seconds before the second attempt; doubled for each further one
_PAUSE = 0.5
_TOO_MANY_REQUESTS = 429
_HEADERS = {"Content-Type": "application/json", "User-Agent": "batch-nlp"}
# Loggers that write addresses, or headers that may repeat one
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")


class NotDeliveredError(Exception):
    """A webhook did not accept a document. The message names the reason and the host, not the address."""


class _TryAgainError(Exception):
    """An attempt failed, and another one may succeed."""

    def __init__(self, retry_after: float = 0.0) -> None:
        self.retry_after = retry_after


def parse_address(address: str) -> URL:
    """Parse the address of a webhook; raise a `ValueError`, which does not repeat it, if it is invalid."""
    import httpx

    if not address.isprintable() or " " in address:
        raise ValueError("it holds a space or a control character")
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        raise ValueError("it is not a valid address") from None
    if url.scheme not in {"http", "https"}:
        raise ValueError("it does not begin with https:// or http://")
    if not url.host:
        raise ValueError("it names no host")
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError("its port is not between 1 and 65535")
    return url


def post(address: str, body: bytes, timeout: float, attempts: int) -> str:
    """Post a JSON document, and try again if the server is unreachable, too busy (429) or broken (5xx).

    If an answer is lost, the document is posted again, so it can arrive twice. The pauses between attempts grow. No
    wait for a connection, an answer or the time in a ``Retry-After`` header is longer than `timeout` seconds, and all
    attempts take at most `timeout` times `attempts` seconds. Returns the host that accepted the document; raises a
    `NotDeliveredError` if it did not.
    """
    from stamina.instrumentation import set_on_retry_hooks

    url = parse_address(address)
    set_on_retry_hooks(())  # those of stamina would print each attempt
    # No timeout of a socket bounds a silent name server or an answer that comes byte by byte
    delivery = _Delivery(url, body, timeout, attempts)
    delivery.start()
    delivery.join(timeout * attempts)
    if problem := delivery.problem:
        raise NotDeliveredError(f"{url.host}: {problem}, after {delivery.made} attempt(s)")
    return url.host


class _Delivery(threading.Thread):
    """The attempts to post one document."""

    def __init__(self, url: URL, body: bytes, timeout: float, attempts: int) -> None:
        super().__init__(daemon=True, name="notification")
        self._url, self._body, self._timeout, self._attempts = url, body, timeout, attempts
        # the certificates of the system, as every other program on it uses them, instead of httpx's own
        self._certificates = ssl.create_default_context()
        self._until = time.monotonic() + timeout * attempts
        self.problem: str | None = "no answer"
        self.made = 0

    def run(self) -> None:
        import httpx

        try:
            client = httpx.Client(timeout=self._timeout, verify=self._certificates)
            with _silent_loggers(), client, suppress(_TryAgainError):
                self._deliver(client)
        except ImportError:
            self.problem = "the proxy of the environment is a SOCKS proxy, which needs the package socksio"
        except Exception as error:  # noqa: BLE001 whatever the error is, its message may hold the address
            self.problem = type(error).__name__

    def _deliver(self, client: Client) -> None:
        import stamina

        for attempt in stamina.retry_context(
            on=_pause, attempts=self._attempts, timeout=None, wait_initial=_PAUSE, wait_max=self._timeout, wait_jitter=0
        ):
            if time.monotonic() > self._until:  # the log already says that the document was not delivered
                return
            self.made = attempt.num
            with attempt:
                self._attempt(client)

    def _attempt(self, client: Client) -> None:
        import httpx

        try:
            with client.stream("POST", self._url, content=self._body, headers=_HEADERS) as answer:
                status = answer.status_code
                self.problem = None if answer.is_success else f"HTTP {status}"
                if status == _TOO_MANY_REQUESTS or status >= 500:
                    raise _TryAgainError(min(_retry_after(answer), self._timeout))
        except httpx.HTTPError as error:
            self.problem = _in_words(error)
            raise _TryAgainError from error


def _pause(error: Exception) -> bool | float:
    """Tell stamina whether to try again: after the time that the server asks for, or after its own growing pause."""
    return isinstance(error, _TryAgainError) and (error.retry_after or True)


def _retry_after(answer: Response) -> float:
    """Return the seconds of the header ``Retry-After``, a number or a date; 0 if it is missing or invalid."""
    value = answer.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):  # TypeError for a date without a time zone
        return 0.0


def _in_words(error: HTTPError) -> str:
    """Return what went wrong, without the error's own message, which may hold the address."""
    import httpx

    words: dict[type[BaseException], str] = {
        socket.gaierror: "its name is not known",
        ssl.SSLError: "no trusted TLS connection",
        httpx.TimeoutException: "no answer in time",
        httpx.ProxyError: "the proxy refuses the connection",
        httpx.ConnectError: "no connection",
        httpx.TransportError: "the connection broke",
    }
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    found = (said for kind, said in words.items() if any(isinstance(one, kind) for one in causes))
    return next(found, "its answer cannot be read")


@contextmanager
def _silent_loggers() -> Iterator[None]:
    """Keep the HTTP libraries from writing the address to a log that someone has set up."""

    def nothing(_: logging.LogRecord) -> bool:
        return False

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for source in loggers:
        source.addFilter(nothing)
    try:
        yield
    finally:
        for source in loggers:
            source.removeFilter(nothing)
