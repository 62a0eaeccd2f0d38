"""Hands a document to a webhook, in a bounded time, and without giving its address away.

The address of a webhook is a secret: whoever has it can post. So no log line, error or exception that leaves this
module holds more of it than the host.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager
    from urllib3.exceptions import HTTPError
    from urllib3.util import Url

# Seconds before the second attempt; doubled for each further one
_PAUSE = 0.5
_TOO_MANY_REQUESTS = 429


class NotDeliveredError(Exception):
    """A webhook did not take a document; says why, and of the address only the host."""


def parse_address(address: str) -> Url:
    """Return the parts of an address.

    Raises
    ------
    ValueError
        If it is not one of http or https with a host; the message does not hold it.
    """
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        url = parse_url(address)
    except LocationParseError:
        raise ValueError("it is no address") from None
    if url.scheme not in {"http", "https"}:
        raise ValueError("it does not begin with https:// or http://")
    if not url.host or not address.isprintable() or " " in address:
        raise ValueError("it names no host, or holds a space or a control character")
    return url


def post(address: str, body: bytes, timeout: float, attempts: int) -> str:
    """Send a JSON document, again if the server is not there, too busy (429) or broken (5xx).

    An answer that got lost leads to another attempt, so a document can come twice.

    Parameters
    ----------
    address : str
        Of the webhook.
    body : bytes
        The document.
    timeout : float
        Seconds that an attempt may take, and that a ``Retry-After`` of the server is waited for at most.
    attempts : int
        With a growing pause between them. All of it takes `timeout` times `attempts` seconds at most.

    Returns
    -------
    str
        The host that took it.

    Raises
    ------
    NotDeliveredError
    ValueError
        If the address is none.
    """
    url = parse_address(address)
    # No setting of a socket bounds a name server that is silent or an answer that comes byte by byte
    delivery = _Delivery(url, body, timeout, attempts)
    delivery.start()
    delivery.join(timeout * attempts)
    if problem := delivery.problem:
        raise NotDeliveredError(f"{url.host}: {problem}, after {delivery.made} attempt(s)")
    return str(url.host)


class _Delivery(threading.Thread):
    """The attempts to hand over one document."""

    def __init__(self, url: Url, body: bytes, timeout: float, attempts: int) -> None:
        super().__init__(daemon=True, name="notification")
        self._url, self._body, self._timeout, self._attempts = url, body, timeout, attempts
        self._until = time.monotonic() + timeout * attempts
        self.problem: str | None = "no answer"
        self.made = 0

    def run(self) -> None:
        try:
            with _silent_urllib3(), _pool(self._url, self._timeout) as pool:
                self._deliver(pool)
        except Exception as error:  # noqa: BLE001 whatever it is, its words may hold the address
            self.problem = type(error).__name__

    def _deliver(self, pool: PoolManager) -> None:
        from urllib3.exceptions import HTTPError
        from urllib3.util import make_headers

        headers = {"Content-Type": "application/json", "User-Agent": "batch-nlp"}
        if self._url.auth:
            headers |= make_headers(basic_auth=self._url.auth)
        asked = 0.0
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(max(_PAUSE * 2 ** (attempt - 1), asked))
            if time.monotonic() > self._until:  # nobody waits any more, and the log says that it was not taken
                return
            self.made, asked = attempt + 1, 0.0
            try:
                answer = pool.request(
                    "POST", self._url.url, body=self._body, headers=headers, redirect=False, preload_content=False
                )
            except HTTPError as error:
                self.problem = _in_words(error)
                continue
            answer.close()
            self.problem = None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
            if answer.status != _TOO_MANY_REQUESTS and answer.status < 500:
                return
            asked = min(_asked_to_wait(answer), self._timeout)


def _pool(url: Url, timeout: float) -> PoolManager:
    """Return connections, through the proxy that the environment names for them, if any."""
    from urllib.request import getproxies_environment, proxy_bypass

    import urllib3
    from urllib3.util import make_headers, parse_url

    limits = urllib3.Timeout(total=timeout)
    proxies = getproxies_environment()
    proxy = proxies.get(url.scheme or "")
    if proxy is None or proxy_bypass(url.host or ""):
        return urllib3.PoolManager(retries=False, timeout=limits)
    login = parse_url(proxy).auth
    headers = make_headers(proxy_basic_auth=login) if login else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, retries=False, timeout=limits)


def _asked_to_wait(answer: BaseHTTPResponse) -> float:
    """Return the seconds of ``Retry-After``, 0 where there is none that can be read."""
    from urllib3 import Retry
    from urllib3.exceptions import InvalidHeader

    try:
        return Retry().get_retry_after(answer) or 0.0
    except InvalidHeader:
        return 0.0


def _in_words(error: HTTPError) -> str:
    """Return what went wrong; the error's own words may hold the address."""
    from urllib3 import exceptions

    words = {
        exceptions.NameResolutionError: "its name is not known",
        exceptions.NewConnectionError: "no connection",
        exceptions.TimeoutError: "no answer in time",
        exceptions.ProxyError: "the proxy does not answer",
        exceptions.SSLError: "no trusted TLS connection",
    }
    return next((said for kind, said in words.items() if isinstance(error, kind)), type(error).__name__)


@contextmanager
def _silent_urllib3() -> Iterator[None]:
    """Keep urllib3 from writing the path of the address to a log that someone has set up."""
    source = logging.getLogger("urllib3.connectionpool")
    source.addFilter(_nothing)
    try:
        yield
    finally:
        source.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
