"""Real HTTP servers for webhooks, in a thread of the test."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast


class Server(ThreadingHTTPServer):
    """Answers POST with the given statuses in turn, the last one for ever, and keeps what came."""

    def __init__(self, statuses: list[int], headers: dict[str, str], delay: float, drip: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses, self.headers, self.delay, self.drip = statuses, headers, delay, drip
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.request_headers: list[dict[str, str]] = []
        self.times: list[float] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that gives up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = cast("Server", self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        number = len(server.received)
        server.received.append(json.loads(body))
        server.paths.append(self.path)
        server.request_headers.append({name.lower(): value for name, value in self.headers.items()})
        server.times.append(time.monotonic())
        time.sleep(server.delay)
        if server.drip:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(server.drip)
        self.send_response(server.statuses[min(number, len(server.statuses) - 1)])
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep the test's output quiet."""


@contextmanager
def serving(
    *statuses: int, headers: dict[str, str] | None = None, delay: float = 0, drip: float = 0
) -> Iterator[Server]:
    server = Server(list(statuses), headers or {}, delay, drip)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    server.daemon_threads = True
    server.block_on_close = False
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
