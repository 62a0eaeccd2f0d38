"""The state of a dataset as metrics in Prometheus' text format, for the textfile collector of a node exporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from loguru import logger

from batch_nlp.reports.documents import json_value
from batch_nlp.storage.atomic import write_bytes

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

_LAST_SUCCESS = "batch_nlp_last_success_timestamp_seconds"
# how a retraining ends; `same` means that the candidate equals the champion
_RETRAININGS = ("promoted", "rejected", "same")
_STATUSES = ("ok", "drift", "insufficient", "skipped")
_OUTCOMES = ("predicted", "duplicates", "quarantined")

# By metric: a value, or a value per label; None is left out
Values = dict[str, float | Mapping[str, float | None] | None]


def write_metrics(
    path: Path,
    dataset: str,
    reports: Sequence[Mapping[str, Any]],
    realised: Mapping[str, float],
    champions: Sequence[Mapping[str, Any]],
    decisions: Sequence[Mapping[str, Any]],
    totals: Mapping[str, int],
    now: datetime,
) -> None:
    """Write the metrics of the batches of a dataset, all or nothing.

    Parameters
    ----------
    path : Path
        Must end in ``.prom``, or the collector ignores it; one file per dataset.
    dataset : str
        The label ``dataset`` of every metric. Reports of other datasets are left out.
    reports, realised, champions
        As in `write_index`.
    decisions : sequence of mappings
        The decision log of the dataset: retrainings are counted from it.
    totals : mapping of str to int
        Batches, alarms, retrainings held back, and messages by outcome, of the dataset's whole history.
    now : datetime
        When the run began, with its time zone.
    """
    own = [report for report in reports if report.get("dataset") == dataset]
    values: Values = {
        "batch_nlp_last_inference_timestamp_seconds": now.timestamp(),
        **(_newest_batch(own[-1]) if own else {}),
        **_totals(decisions, totals),
        **_quality(own, realised),
    }
    if champions:
        values["batch_nlp_champion_info"] = {champions[-1]["version"]: 1.0}
        values["batch_nlp_champion_f1_macro"] = champions[-1].get("metrics", {}).get("f1_macro")
    _write(path, {"dataset": dataset}, values)


def write_run_metrics(path: Path, dataset: str, pipeline: str, now: datetime, exit_code: int) -> None:
    """Write how a run that began `now` ended, all or nothing; there is one file per dataset and pipeline.

    If `exit_code` is 0, `now` is the time of the last success; otherwise the time in the existing file is kept.
    """
    values: Values = {
        "batch_nlp_last_run_timestamp_seconds": now.timestamp(),
        _LAST_SUCCESS: now.timestamp() if exit_code == 0 else _last_value(path, _LAST_SUCCESS),
        "batch_nlp_last_exit_code": exit_code,
    }
    _write(path, {"dataset": dataset, "pipeline": pipeline}, values)


def _newest_batch(report: Mapping[str, Any]) -> Values:
    analysis = report.get("analysis") or {}
    shares = (analysis.get("verdict") or report["verdict"])["shares"]
    accounts, band = report.get("accounts") or {}, report.get("band") or {}
    confidence, unknown_words = (analysis.get(name) or {} for name in ("confidence", "unknown_words"))
    both = ("batch", "reference")
    return {
        "batch_nlp_batch_timestamp_seconds": _predicted_at(report) if report.get("predicted_at") else None,
        "batch_nlp_batch_messages": {outcome: accounts.get(outcome) for outcome in _OUTCOMES},
        "batch_nlp_class_share_ratio": {share["name"]: share["share"] for share in shares},
        "batch_nlp_class_share_bound_ratio": {bound: band.get(bound) for bound in ("low", "high")},
        "batch_nlp_verdict": {status: report["verdict"]["status"] == status for status in _STATUSES},
        "batch_nlp_confidence_ratio": {side: confidence.get(side) for side in both},
        "batch_nlp_unknown_words_ratio": {side: unknown_words.get(side) for side in both},
        "batch_nlp_estimated_f1_macro": (analysis.get("estimated") or {}).get("f1_macro"),
    }


def _totals(decisions: Sequence[Mapping[str, Any]], found: Mapping[str, int]) -> Values:
    retrainings = Counter(dict.fromkeys(_RETRAININGS, 0))
    retrainings.update(
        str(decision.get("outcome") or "unknown") for decision in decisions if decision.get("decision") == "retraining"
    )
    return {
        "batch_nlp_batches": found["batches"],
        "batch_nlp_messages": {outcome: found[outcome] for outcome in _OUTCOMES},
        "batch_nlp_alarms": found["alarms"],
        "batch_nlp_held_back": found["held back"],
        "batch_nlp_retrainings": retrainings,
    }


def _quality(reports: Sequence[Mapping[str, Any]], realised: Mapping[str, float]) -> Values:
    labelled = next((report for report in reversed(reports) if report["name"] in realised), None)
    if labelled is None:
        return {}
    return {
        "batch_nlp_realised_f1_macro": realised[labelled["name"]],
        "batch_nlp_realised_batch_timestamp_seconds": _predicted_at(labelled),
    }


def _predicted_at(report: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(report["predicted_at"]).timestamp()


def _write(path: Path, common: Mapping[str, str], values: Values) -> None:
    """Write metrics with their common labels; ``prometheus.yaml`` has their help texts."""
    from prometheus_client import CollectorRegistry, generate_latest

    known = yaml.safe_load((files(__package__) / "prometheus.yaml").read_text(encoding="utf-8"))
    registry = CollectorRegistry(auto_describe=False)
    collected = [_metric(name, known[name], common, value) for name, value in values.items()]
    registry.register(_Collected(collected))
    write_bytes(path, generate_latest(registry))


@dataclass(eq=False)
class _Collected:
    metrics: list[Metric]

    def collect(self) -> list[Metric]:
        return self.metrics


def _metric(
    name: str, known: Mapping[str, Any], common: Mapping[str, str], value: float | Mapping[str, float | None] | None
) -> Metric:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if known.get("counter") else GaugeMetricFamily
    metric = kind(name, known["help"], labels=[*common, *([known["label"]] if "label" in known else [])])
    for own, number in value.items() if isinstance(value, Mapping) else [(None, value)]:
        if number is not None:
            metric.add_metric([json_value(label) for label in (*common.values(), own) if label is not None], number)
    return metric


def _last_value(path: Path, name: str) -> float | None:
    """Return the value of a metric in an existing file; None if the file or the metric is missing."""
    from prometheus_client.parser import text_string_to_metric_families

    if not path.exists():
        return None
    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        logger.warning("Cannot read {} ({}). The file is replaced.", path, error)
        return None
    values = [sample.value for family in families if family.name == name for sample in family.samples]
    return values[0] if values else None
