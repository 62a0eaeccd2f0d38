"""Notifications through the real command line: what is told, and that the address stays a secret."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.naming import assert_names, names
from tests.projects import Project
from tests.unit.notify.servers import serving

from batch_nlp import cli
from batch_nlp.errors import ExitCode

PATH = "services/T0SECRET/B0SECRET"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Return a function that runs the command line in this process, in an empty project folder."""
    level = logging.getLogger().level
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> int:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["start_batch_nlp.py", *Project(tmp_path).arguments(*arguments)])
        return cli.main()

    yield run
    # hydra.verbose lowers it for good, and has Hydra compose and print more than twice as much in every later run
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize("status", [200, 404])
def test_a_failure_is_told_and_nothing_keeps_the_address(
    status: int,
    call: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with serving(status) as server:
        monkeypatch.setenv("BATCH_NLP_WEBHOOK", f"{server.url}/{PATH}")
        # whatever a user does to see more
        more = ("hydra/job_logging=default", "hydra.verbose=true", "log_level=TRACE")
        assert call("dataset=yelp", "dataset.raw_dir=nowhere", "notify=json", *more) == ExitCode.DATA
    (document,) = server.received
    assert document["event"] == "failure"
    assert document["exit_code"] == ExitCode.DATA
    assert document["dataset"] == "yelp"
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    told = "".join(capfd.readouterr())
    assert names(told, "HTTP 404") is (status == 404)
    assert any(b"BATCH_NLP_WEBHOOK" in content for content in kept), "the settings of the call name the variable"
    assert not any(b"SECRET" in content for content in kept)
    assert "SECRET" not in told


def test_an_inbox_that_is_not_there_is_told(call: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Guarantee 24."""
    with serving(200) as server:
        monkeypatch.setenv("BATCH_NLP_WEBHOOK", server.url)
        assert call("pipeline=inference", "inference.inbox=no/such/share", "notify=json") == ExitCode.DATA
    (document,) = server.received
    assert (document["event"], document["exit_code"]) == ("failure", ExitCode.DATA)


def test_a_missing_address_stops_before_any_work(
    call: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BATCH_NLP_WEBHOOK", raising=False)
    assert call("notify=slack") == ExitCode.SETTINGS
    assert_names(capsys.readouterr().err, "BATCH_NLP_WEBHOOK")
    assert not (tmp_path / "data" / "01_raw").exists()
    # who only looks tells nobody
    assert call("pipeline=status", "notify=slack") == ExitCode.DONE


def test_an_alert_is_told_once_with_the_batch(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert project.here("pipeline=sample", "sample.part=batch", "sample.class_mix=[0.0,0.0,1.0]").returncode == 0
    with serving(200) as server:
        monkeypatch.setenv("BATCH_NLP_WEBHOOK", server.url)
        result = project.here("pipeline=inference", "drift.response=alert", "drift.low=0.3", "notify=json")
    assert result.returncode == ExitCode.DRIFT, result.stderr
    (document,) = server.received
    assert document["event"] == "drift"
    assert document["action"] == "alert"
    assert document["verdict"] == "drift"
    assert_names(document["reason"], "30%")
    assert (project.data / "09_inference" / "predictions" / document["batch"]).is_dir()
    assert document["champion"] == "v0001"
    assert document["exit_code"] is None
