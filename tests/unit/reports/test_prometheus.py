from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.settings import default
from tests.unit.reports.batch_documents import CHAMPIONS, analysis, batch, documents

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.archive import totals
from batch_nlp.monitoring.batch_document import batch_document
from batch_nlp.reports.prometheus import write_metrics, write_run_metrics

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
HOSTILE = ['a"b\\n', "line\nbreak", 'x"} 1\nbatch_nlp_verdict{status="ok"} 7']


def samples(path: Path) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the samples without the labels that all must have."""
    found = {}
    for family in text_string_to_metric_families(path.read_bytes().decode()):
        assert family.documentation
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("dataset") == "sample"
            assert labels.pop("pipeline", "inference") == "inference"
            key = (sample.name, frozenset(labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(path: Path, name: str, **labels: str) -> float:
    return samples(path)[f"batch_nlp_{name}", frozenset(labels.items())]


def decisions(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the log of some batches, with a line that a killed run entered twice."""
    log: list[dict[str, Any]] = []
    for report in reports:
        log.append({"decision": "batch", "batch": report["name"], **report})
        if report["answer"]["action"] == "held back":
            log.append({"decision": "held back", "batch": report["name"], "dataset": "sample"})
    empty = {"decision": "batch", "batch": None, "dataset": "sample", "verdict": {"status": "skipped"}}
    retraining = {"decision": "retraining", "dataset": "sample", "outcome": "promoted"}
    return [*log, log[0], empty, retraining]


def test_metrics_are_those_of_the_newest_batch_and_of_all(tmp_path: Path) -> None:
    path, reports = tmp_path / "sample.prom", documents(10)
    realised = {reports[3]["name"]: 0.71}
    other = {**reports[0], "dataset": "other"}
    write_metrics(
        path, "sample", [*reports, other], realised, CHAMPIONS, decisions(reports), totals(decisions(reports)), NOW
    )
    assert value(path, "class_share_ratio", **{"class": "negative"}) == pytest.approx(0.05)
    assert value(path, "class_share_bound_ratio", bound="low") == pytest.approx(0.1)
    assert value(path, "verdict", status="drift") == 1
    assert value(path, "verdict", status="ok") == 0
    assert value(path, "batch_messages", outcome="quarantined") == 2
    assert value(path, "messages_total", outcome="predicted") == 4000
    assert value(path, "batches_total") == 10
    assert value(path, "alarms_total") == 2
    assert value(path, "held_back_total") == 2
    assert value(path, "retrainings_total", outcome="promoted") == 1
    assert value(path, "retrainings_total", outcome="rejected") == 0
    assert value(path, "confidence_ratio", of="batch") == pytest.approx(0.812)
    assert value(path, "unknown_words_ratio", of="reference") == pytest.approx(0.021)
    assert value(path, "estimated_f1_macro") == pytest.approx(0.68)
    assert value(path, "realised_f1_macro") == pytest.approx(0.71)
    assert value(path, "champion_info", version="v0001") == 1
    assert value(path, "champion_f1_macro") == pytest.approx(0.75)
    assert value(path, "last_inference_timestamp_seconds") == NOW.timestamp()


def test_a_dataset_without_a_batch_has_metrics_too(tmp_path: Path) -> None:
    write_metrics(tmp_path / "sample.prom", "sample", [], {}, [], [], totals([]), NOW)
    assert value(tmp_path / "sample.prom", "batches_total") == 0


def test_the_time_of_the_last_success_outlives_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "sample.prom"
    name = ("batch_nlp_last_success_timestamp_seconds", frozenset[tuple[str, str]]())
    write_run_metrics(path, "sample", "inference", NOW, 3)
    assert name not in samples(path)
    for day, code in enumerate((0, 4, 75)):
        write_run_metrics(path, "sample", "inference", NOW + timedelta(days=day), code)
        assert samples(path)[name] == NOW.timestamp()
        assert value(path, "last_exit_code") == code
        assert value(path, "last_run_timestamp_seconds") == (NOW + timedelta(days=day)).timestamp()
    path.write_text("no metrics {")
    write_run_metrics(path, "sample", "inference", NOW, 3)
    assert name not in samples(path)


def test_hostile_names_stay_labels(tmp_path: Path) -> None:
    path = tmp_path / "sample.prom"
    document = batch_document(batch(), analysis(classes=HOSTILE), None, default(DriftConfig))
    champions = [{"version": HOSTILE[2], "at": None, "reason": "", "metrics": {}}]
    write_metrics(path, "sample", [document], {}, champions, [], totals([]), NOW)
    shares = {name: value(path, "class_share_ratio", **{"class": name}) for name in HOSTILE}
    assert list(shares.values()) == pytest.approx([0.05, 0.15, 0.8])
    assert value(path, "verdict", status="ok") == 0
    assert value(path, "champion_info", version=HOSTILE[2]) == 1


def test_every_metric_is_in_the_documentation(tmp_path: Path) -> None:
    batches, run, reports = tmp_path / "sample.prom", tmp_path / "sample-inference.prom", documents(5)
    realised = {reports[0]["name"]: 1.0}
    write_metrics(batches, "sample", reports, realised, CHAMPIONS, decisions(reports), totals(decisions(reports)), NOW)
    write_run_metrics(run, "sample", "inference", NOW, 0)
    text = (Path(__file__).parents[3] / "docs" / "batch-report.md").read_text()
    names = {name for path in (batches, run) for name, _ in samples(path)}
    documented = set(re.findall(r"^\| `(batch_nlp_\w+)`", text, flags=re.MULTILINE))
    assert names == documented
