"""The state of a dataset as Prometheus metrics, for the textfile collector of a node exporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from batch_nlp.monitoring.analysis import Performance
from batch_nlp.monitoring.report.metric_file import Family, last_value, one, write_families
from batch_nlp.monitoring.verdict import Status

_LAST_SUCCESS = "batch_nlp_last_success_timestamp_seconds"
_OUTCOMES = ("predicted", "duplicates", "quarantined")
# how a retraining ends: `same` gave the champion over again
_RETRAININGS = ("promoted", "rejected", "same")


def write_metrics(
    path: Path,
    dataset: str,
    reports: Sequence[Mapping[str, Any]],
    realised: Mapping[str, Performance],
    champions: Sequence[Mapping[str, Any]],
    decisions: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """Write the metrics of a dataset's batches, all or nothing.

    Parameters
    ----------
    path : Path
        Ends in ``.prom``, or no collector reads it; one file a dataset.
    dataset : str
        The label ``dataset`` of every metric. Reports and decisions of other datasets are left out.
    reports : sequence of mappings
        Documents of the batches, oldest first, as `read_reports` returns them.
    realised : mapping of str to Performance
        By the name of the batch.
    champions : sequence of mappings
        From `champion_history`, oldest first.
    decisions : sequence of mappings
        The decision log, oldest first: the totals are counted from it.
    now : datetime
        When the run began, with its time zone.
    """
    own = [report for report in reports if report.get("dataset") == dataset]
    made = [decision for decision in decisions if decision.get("dataset") == dataset]
    families = [
        one(
            "batch_nlp_last_inference_timestamp_seconds",
            "When the last run of a pipeline with inference began.",
            now.timestamp(),
        ),
        *_newest_batch(own[-1] if own else None),
        *_totals(made),
        *_quality(own, realised, champions),
    ]
    write_families(path, {"dataset": dataset}, families)


def write_run_metrics(path: Path, dataset: str, pipeline: str, now: datetime, exit_code: int) -> None:
    """Write how a call of the command line ended, all or nothing.

    Parameters
    ----------
    path : Path
        Ends in ``.prom``; one file a dataset and pipeline.
    dataset, pipeline : str
        Labels of every metric.
    now : datetime
        When the run began, with its time zone.
    exit_code : int
        With 0, `now` is the time of the last success; otherwise that of the file before is kept.
    """
    success = now.timestamp() if exit_code == 0 else last_value(path, _LAST_SUCCESS)
    families = [
        one("batch_nlp_last_run_timestamp_seconds", "When the last run began.", now.timestamp()),
        one(_LAST_SUCCESS, "When the last run that ended with exit code 0 began.", success),
        one("batch_nlp_last_exit_code", "Exit code of the last run.", exit_code),
    ]
    write_families(path, {"dataset": dataset, "pipeline": pipeline}, families)


def _newest_batch(report: Mapping[str, Any] | None) -> list[Family]:
    if report is None:
        return []
    analysis = report.get("analysis") or {}
    shares = (analysis.get("verdict") or report["verdict"])["shares"]
    accounts, band = report.get("accounts") or {}, report.get("band") or {}
    at = datetime.fromisoformat(report["predicted_at"]).timestamp() if report.get("predicted_at") else None

    def compared(name: str, side: str) -> float | None:
        value: float | None = (analysis.get(name) or {}).get(side)
        return value

    both = ("batch", "reference")
    return [
        one("batch_nlp_batch_timestamp_seconds", "When the newest batch was predicted.", at),
        Family(
            "batch_nlp_batch_messages",
            "Messages of the newest batch by what became of them.",
            {outcome: accounts.get(outcome) for outcome in _OUTCOMES},
            "outcome",
        ),
        Family(
            "batch_nlp_class_share_ratio",
            "Share of a class in the predictions of the newest batch.",
            {share["name"]: share["share"] for share in shares},
            "class",
        ),
        Family(
            "batch_nlp_class_share_bound_ratio",
            "The band that every class's share should be in.",
            {bound: band.get(bound) for bound in ("low", "high")},
            "bound",
        ),
        Family(
            "batch_nlp_verdict",
            "1 for the verdict on the newest batch, 0 for the others.",
            {status.value: float(report["verdict"]["status"] == status.value) for status in Status},
            "status",
        ),
        Family(
            "batch_nlp_confidence_ratio",
            "Mean probability of the predicted class, in the newest batch and on the hold-out.",
            {side: compared("confidence", side) for side in both},
            "of",
        ),
        Family(
            "batch_nlp_unknown_words_ratio",
            "Mean share of words that training has not seen, in the newest batch and on the hold-out.",
            {side: compared("unknown_words", side) for side in both},
            "of",
        ),
        one(
            "batch_nlp_estimated_f1_macro",
            "Macro F1 of the newest batch, estimated from its probabilities.",
            (analysis.get("estimated") or {}).get("f1_macro"),
        ),
    ]


def _totals(decisions: Iterable[Mapping[str, Any]]) -> list[Family]:
    messages, retrainings = Counter(dict.fromkeys(_OUTCOMES, 0)), Counter(dict.fromkeys(_RETRAININGS, 0))
    batches: dict[str, bool] = {}
    held_back = 0
    for decision in decisions:
        kind, batch = decision.get("decision"), decision.get("batch")
        # a run that was killed between its decision and its record enters the decision a second time
        if kind == "batch" and batch is not None and batch not in batches:
            batches[batch] = decision["verdict"]["status"] == Status.DRIFT.value
            accounts = decision.get("accounts") or {}
            messages.update({outcome: accounts.get(outcome, 0) for outcome in _OUTCOMES})
        elif kind == "retraining":
            retrainings[str(decision.get("outcome") or "unknown")] += 1
        held_back += kind == "held back"
    return [
        one("batch_nlp_batches", "Batches that were judged.", len(batches), counter=True),
        Family("batch_nlp_messages", "Messages by what became of them.", {**messages}, "outcome", counter=True),
        one("batch_nlp_alarms", "Batches with the verdict drift.", sum(batches.values()), counter=True),
        one("batch_nlp_held_back", "Retrainings that the breaker held back.", held_back, counter=True),
        Family(
            "batch_nlp_retrainings",
            "Retrainings that drift led to, by how they ended.",
            {**retrainings},
            "outcome",
            counter=True,
        ),
    ]


def _quality(
    reports: Sequence[Mapping[str, Any]], realised: Mapping[str, Performance], champions: Sequence[Mapping[str, Any]]
) -> list[Family]:
    labelled = next((report for report in reversed(reports) if report["name"] in realised), None)
    champion = champions[-1] if champions else None
    found = []
    if labelled is not None:
        name, at = labelled["name"], datetime.fromisoformat(labelled["predicted_at"]).timestamp()
        found += [
            one(
                "batch_nlp_realised_f1_macro",
                "Macro F1 of the newest batch whose labels have come.",
                realised[name].f1_macro,
            ),
            one("batch_nlp_realised_batch_timestamp_seconds", "When that batch was predicted.", at),
        ]
    if champion is not None:
        f1 = champion.get("metrics", {}).get("f1_macro")
        found += [
            Family("batch_nlp_champion_info", "The model that predicts.", {champion["version"]: 1.0}, "version"),
            one("batch_nlp_champion_f1_macro", "Its macro F1 on its hold-out.", f1),
        ]
    return found
