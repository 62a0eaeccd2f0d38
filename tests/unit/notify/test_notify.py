"""Notifications against real servers: what arrives, what is tried again, how long it takes, and what stays secret."""

from __future__ import annotations

import json
import logging
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from loguru import logger
from tests.conftest import MakeConfig
from tests.naming import assert_names, names, refusal
from tests.settings import default
from tests.unit.notify.servers import serving

from batch_nlp.config import Event, NotifyConfig, NotifyFormat
from batch_nlp.errors import DataError, DriftError, FilesSetAsideError, SettingsError
from batch_nlp.notify.notification import Notification
from batch_nlp.notify.notifier import check_notify, notify, notify_failures

SECRET = "T0SECRET/B0SECRET"  # noqa: S105 the path of an address that does not exist
VARIABLE = "BATCH_NLP_WEBHOOK"
JSON = default(NotifyConfig, format=NotifyFormat.json, timeout=0.5, attempts=2)
SLACK = replace(JSON, format=NotifyFormat.slack)
NOTICE = Notification(
    Event.held_back,
    "sample",
    "20260102T030405000000Z",
    "20260102T030405Z-abc",
    "drift",
    "neutral 5.0% is under 10%",
    "held back",
    "12 labels are new",
    "v0003",
)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Return everything that loguru and the standard library's loggers say, at any level."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler, root = Keep(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    sink = logger.add(lambda message: lines.append(str(message)), level="TRACE", diagnose=True)
    yield lines
    logger.remove(sink)
    root.removeHandler(handler)
    root.setLevel(level)


def test_the_generic_document_says_what_happened(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    with serving(204) as server:
        monkeypatch.setenv(VARIABLE, f"{server.url}/{SECRET}\n")
        notify(replace(JSON, timeout=5), NOTICE)
    (document,) = server.received
    assert server.paths == [f"/{SECRET}"]
    assert server.request_headers[0]["content-type"] == "application/json"
    assert set(document) == {
        *("event", "at", "host", "dataset", "run", "batch", "verdict", "reason"),
        *("action", "action_reason", "champion", "exit_code", "text"),
    }
    assert document["event"] == "held_back"
    assert document["verdict"] == "drift"
    assert document["action"] == "held back"
    assert document["exit_code"] is None
    assert_names(document["text"], "20260102T030405Z-abc", NOTICE.reason, NOTICE.action_reason, "v0003", "sample")
    assert any(names(line, "127.0.0.1") for line in log)
    assert "SECRET" not in "".join(log)


def test_slack_gets_a_text_in_which_nothing_is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(200) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        notify(replace(SLACK, timeout=5), replace(NOTICE, reason="<!channel> Q&A 5% is under 10%"))
    (document,) = server.received
    assert list(document) == ["text"]
    assert "&lt;!channel&gt; Q&amp;A 5% is under 10%" in document["text"]


def test_a_broken_server_is_asked_again(monkeypatch: pytest.MonkeyPatch, warnings: list[str]) -> None:
    with serving(500, 503, 200) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        notify(replace(JSON, timeout=5, attempts=3), NOTICE)
    assert len(server.received) == 3
    first, second, third = server.times
    assert 0.4 < second - first < third - second
    assert warnings == []


@pytest.mark.parametrize(("asked", "at_least", "at_most"), [("1", 1.0, 1.9), ("3600", 1.5, 2.5)])
def test_a_server_that_asks_to_wait_is_waited_for_within_limits(
    asked: str, at_least: float, at_most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(429, 200, headers={"Retry-After": asked}) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        notify(replace(JSON, timeout=1.5, attempts=3), NOTICE)
    first, second = server.times
    assert at_least <= second - first + 0.01
    assert second - first < at_most


@pytest.mark.parametrize("asked", ["soon", "Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:05"])
def test_a_server_that_asks_for_no_time_to_come_is_asked_again_after_the_pause(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(503, 200, headers={"Retry-After": asked}) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        notify(replace(JSON, timeout=3), NOTICE)
    first, second = server.times
    assert 0.4 < second - first < 2.5


def test_a_server_may_ask_for_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    with serving(503, 200, headers={"Retry-After": until}) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        notify(replace(JSON, timeout=5), NOTICE)
    first, second = server.times
    assert 1.5 < second - first < 4


def test_attempts_leave_no_address_in_any_log(
    monkeypatch: pytest.MonkeyPatch, log: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(500) as server:
        monkeypatch.setenv(VARIABLE, f"{server.url}/{SECRET}")
        notify(replace(JSON, timeout=2), NOTICE)
    assert len(server.received) == 2
    (told,) = log
    assert "HTTP 500, after 2 attempt(s)" in told
    assert "SECRET" not in told + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://no-such-host.invalid/SECRET", "no-such-host.invalid: its name is not known, after 2"),
        ("https://127.0.0.1:PORT/SECRET", "127.0.0.1: no trusted TLS connection, after 2"),
    ],
)
def test_a_failed_connection_is_told_without_the_address(
    address: str, words: str, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    with serving(200) as server:
        monkeypatch.setenv(VARIABLE, address.replace("PORT", str(server.port)))
        notify(replace(JSON, timeout=5), NOTICE)
    assert words in "".join(log)
    assert "SECRET" not in "".join(log)


def test_a_refusal_is_told_and_not_tried_again(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    with serving(404) as server:
        monkeypatch.setenv(VARIABLE, f"{server.url}/{SECRET}")
        notify(replace(JSON, attempts=4), NOTICE)
    assert len(server.received) == 1
    told = "".join(log)
    assert "HTTP 404" in told
    assert NOTICE.text in told, "what could not be told is in the log"
    assert "SECRET" not in told


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch, warnings: list[str]) -> None:
    with serving(200) as other, serving(307, headers={"Location": other.url}) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        notify(replace(JSON, timeout=5), NOTICE)
    assert other.received == []
    assert "HTTP 307" in warnings[0]


def test_nobody_there_is_a_warning_after_all_attempts(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv(VARIABLE, f"http://user:SECRET@127.0.0.1:{port}/{SECRET}")
    notify(replace(JSON, timeout=2), NOTICE)
    assert_names("".join(log), "127.0.0.1", 2)
    assert "SECRET" not in "".join(log)


def test_a_connection_that_breaks_is_told_without_the_names_of_libraries(
    monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            for _ in range(2):
                server.accept()[0].close()

        thread = Thread(target=hang_up)
        thread.start()
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{server.getsockname()[1]}/{SECRET}")
        notify(replace(JSON, timeout=5), NOTICE)
        thread.join()
    assert_names("".join(log), "127.0.0.1", 2)
    assert not re.search(r"Error|Exception|SECRET", "".join(log))


@pytest.mark.parametrize("how", [{"delay": 30.0}, {"drip": 0.05}], ids=["silent", "byte by byte"])
def test_a_server_that_hangs_does_not_hold_the_job(
    how: dict[str, Any], monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    """The server takes 30 seconds or more, the notification less than half a second: far between them is the limit."""
    with serving(200, **how) as server:
        monkeypatch.setenv(VARIABLE, f"{server.url}/{SECRET}")
        start = time.monotonic()
        notify(replace(JSON, timeout=0.4), NOTICE)
        assert time.monotonic() - start < 10
    assert_names("".join(log), "127.0.0.1")
    assert "SECRET" not in "".join(log)


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(200) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:word@"))
        monkeypatch.setenv(VARIABLE, "http://hooks.example.org/x")
        notify(replace(JSON, timeout=5), NOTICE)
    assert proxy.paths == ["http://hooks.example.org/x"]
    assert proxy.request_headers[0]["proxy-authorization"].startswith("Basic ")


def test_a_socks_proxy_is_named(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    monkeypatch.setenv(VARIABLE, f"http://hooks.example.org/{SECRET}")
    notify(replace(JSON, timeout=5), NOTICE)
    assert_names("".join(log), "hooks.example.org", "SOCKS")
    assert "SECRET" not in "".join(log)


def test_only_what_is_asked_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(200) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        notify(replace(JSON, events=[Event.failure]), NOTICE)
        notify(replace(JSON, format=NotifyFormat.none), NOTICE)
    assert server.received == []


def test_a_failure_is_told_with_its_exit_code_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_config: MakeConfig
) -> None:
    config = make_config(tmp_path, "notify=json", "notify.timeout=2")
    quoted = "a message of a customer"
    with serving(200) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        for error in (DataError(quoted), FileNotFoundError(quoted), ValueError(quoted)):
            with pytest.raises(type(error)), notify_failures(config):
                raise error
        with pytest.raises(DriftError), notify_failures(config):
            raise DriftError("told as drift already")
        with pytest.raises(DataError), notify_failures(config):
            raise FilesSetAsideError(["cut.jsonl.gz", "caf\\xe9.json"])
    assert [document["exit_code"] for document in server.received] == [3, 3, 1, 3]
    assert_names(server.received[3]["reason"], 2)
    assert_names(server.received[3]["text"], "cut.jsonl.gz", r"caf\xe9.json")
    assert quoted not in json.dumps(server.received)
    assert "ValueError" in server.received[2]["text"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, []),
        ("  ", []),
        ("ftp://host/SECRET", ["https://"]),
        ("file:///etc/SECRET", ["https://"]),
        ("hooks.slack.com/SECRET", ["https://"]),
        ("http:///SECRET", []),
        ("http://host/SECRET\r\nX: 1", []),
        ("http://[::1/SECRET", []),
        ("https://host:99999/SECRET", [65535]),
    ],
)
def test_an_address_that_cannot_be_used_is_a_settings_error(
    value: str | None, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with refusal(SettingsError, VARIABLE, *words) as error:
        check_notify(JSON)
    assert "SECRET" not in str(error.value)
    assert error.value.__cause__ is None
    check_notify(default(NotifyConfig))


def test_the_name_of_the_variable_is_checked_and_not_shown() -> None:
    with refusal(SettingsError, "notify.url_variable") as error:
        check_notify(replace(JSON, url_variable="https://hooks.slack.com/SECRET"))
    assert "SECRET" not in str(error.value)
