from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batch_nlp.experiments.job_result import CARD_FILE, JobResult
from batch_nlp.experiments.ranking import BEST, UNKNOWN, WITHIN_CHANCE, WORSE, Ranking, rank
from batch_nlp.experiments.sweep_report import failures, ranked_table, ranking_values, write_reports

FOLD = ("training.window=0", "training.window=1", "training.window=2")


def job(number: int, *overrides: str, value: float | None = None, **facts: Any) -> JobResult:
    """Return the result of a job; its group is what was given for it without window and seed."""
    group = " ".join(text for text in overrides if not text.startswith(("seed=", "training.window=")))
    metrics = {} if value is None else {"f1_weighted": value, "f1_macro": value - 0.1, "recall_good": 0.5}
    defaults = {"status": "ok", "seconds": 2.0, "metric": "f1_weighted", "value": value, "metrics": metrics}
    return JobResult(number, list(overrides), f"f{number}", group, finished_at="2026-01-02", **{**defaults, **facts})


def cells(ranking: Ranking) -> list[dict[str, str]]:
    headings, rows = ranked_table(ranking)
    return [dict(zip(headings, row, strict=True)) for row in rows]


def test_jobs_that_differ_in_seed_or_window_are_repeats_of_one_experiment() -> None:
    values = {"xgboost": (0.80, 0.86, 0.83), "linear_svc": (0.84, 0.85, 0.86)}
    jobs = [
        job(number, f"model={model}", f"seed={number}", fold, value=value, seconds=1.0 + number)
        for model, folds in values.items()
        for number, (fold, value) in enumerate(zip(FOLD, folds, strict=True))
    ]
    first, second = cells(rank("s", jobs))
    # standard deviations by hand: 0.01 for equal steps of 0.01, 0.03 for steps of 0.03
    assert first == {
        "rank": "1",
        "model": "linear_svc",
        "repeats": "3",
        "f1_weighted": "0.8500 ± 0.0100",
        "f1_macro": "0.7500 ± 0.0100",
        "recalls good": "0.500",
        "vs. best": BEST,
        "seconds": "2.0",
    }
    assert (second["model"], second["f1_weighted"]) == ("xgboost", "0.8300 ± 0.0300")
    # a t-interval by hand: 0.85 -+ 4.3027 * 0.01 / sqrt(3)
    assert rank("s", jobs).experiments[0].interval == pytest.approx((0.8252, 0.8748), abs=1e-4)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        # differences to (0.84, 0.85, 0.86) by fold
        ((0.80, 0.81, 0.83), WORSE),
        ((0.80, 0.86, 0.83), WITHIN_CHANCE),
        # equal differences say nothing about chance: the intervals decide, and they overlap
        ((0.80, 0.81, 0.82), WITHIN_CHANCE),
    ],
)
def test_common_repeats_are_compared_in_pairs(other: tuple[float, ...], verdict: str) -> None:
    values = {"a": (0.84, 0.85, 0.86), "b": other}
    jobs = [
        job(number, f"model={model}", fold, value=value)
        for model, folds in values.items()
        for number, (fold, value) in enumerate(zip(FOLD, folds, strict=True))
    ]
    assert rank("s", jobs).against_the_best == [BEST, verdict]


def test_more_comparisons_need_a_larger_distance() -> None:
    folds = {
        "a": (0.84, 0.85, 0.86),
        "b": (0.80, 0.81, 0.83),
        **{f"c{number}": (0.1, 0.2, 0.4) for number in range(20)},
    }
    jobs = [
        job(number, f"model={model}", fold, value=value)
        for model, values in folds.items()
        for number, (fold, value) in enumerate(zip(FOLD, values, strict=True))
    ]
    assert rank("s", jobs).against_the_best[1] == WITHIN_CHANCE


@pytest.mark.parametrize(
    ("interval", "verdict"), [([0.55, 0.65], WORSE), ([0.55, 0.75], WITHIN_CHANCE), (None, UNKNOWN)]
)
def test_single_jobs_are_compared_by_their_intervals(interval: list[float] | None, verdict: str) -> None:
    jobs = [job(0, "model=a", value=0.8, interval=[0.7, 0.9]), job(1, "model=b", value=0.6, interval=interval)]
    ranking = rank("s", [*jobs, job(2, "model=c")])
    assert ranking.against_the_best == [BEST, verdict, UNKNOWN]
    assert "model=a" in ranking.headline


def test_a_single_job_has_no_deviation_and_one_without_metric_comes_last() -> None:
    ranking = rank("s", [job(0, "model=a"), job(1, "model=b", value=0.2), job(2, "model=c", value=0.9)])
    assert [row["model"] for row in cells(ranking)] == ["c", "b", "a"]
    assert [row["f1_weighted"] for row in cells(ranking)] == ["0.9000", "0.2000", "-"]
    assert ranking.experiments[0].metrics["f1_weighted"] == (0.9, None)


def test_failed_repeats_are_listed_and_do_not_count() -> None:
    refused = job(1, "model=a", "seed=2", value=0.1, status="failed", error="Candidate failed its gate", exit_code=5)
    ranking = rank("s", [job(0, "model=a", "seed=1", value=0.5), refused], {"0a1b": ["model=b", "seed=2"]})
    assert [row["repeats"] for row in cells(ranking)] == ["1"]
    assert failures(ranking)[0] == ["1", "5", "model=a seed=2", "Candidate failed its gate"]
    assert failures(ranking)[1][2] == "model=b seed=2"
    assert "sweep=s" in failures(ranking)[1][3]
    found = ranking_values(ranking)["failed"][0]
    assert found["metrics"]["f1_weighted"] == 0.1, "a candidate that its gate refused was measured"


def test_a_killed_job_is_listed_with_its_settings_even_if_no_other_differs() -> None:
    overrides = ["model=xgboost", "model.params.max_depth=3"]
    assert failures(rank("s", [], {"f0": overrides}))[0][2] == " ".join(overrides)
    found = failures(rank("s", [job(0, "model=svm", value=0.5)], {"f0": ["model=xgboost"]}))
    assert found[0][2] == "model=xgboost"


def test_settings_are_columns_only_where_they_differ() -> None:
    jobs = [
        job(0, "pipeline=training", "++model.params.C=0.012345678912", value=0.5),
        job(1, "pipeline=training", "++model.params.C=10", "~drift", value=0.6),
    ]
    ranking = rank("s", jobs)
    assert ranking.parameters == ["model.params.C", "drift"]
    assert [row["model.params.C"] for row in cells(ranking)] == ["10", "0.01235"]
    exact = [found["settings"]["model.params.C"] for found in ranking_values(ranking)["experiments"]]
    assert exact == ["10", "0.012345678912"]


def test_the_calibration_error_is_shown_where_there_is_one() -> None:
    metrics = {"f1_weighted": 0.8, "f1_macro": 0.7, "ece": 0.0123}
    assert cells(rank("s", [job(0, "model=a", value=0.8, metrics=metrics)]))[0]["ece"] == "0.0123"


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "a|b\n| c |", "</td>{{x}}", "'\"&"])
def test_hostile_texts_stay_texts(hostile: str, tmp_path: Path) -> None:
    jobs = [
        job(0, f"model={hostile}", "model.params.C=0.001", value=0.5),
        job(1, "model=b", "model.params.C=1000", value=0.6),
        job(2, "model=c", "model.params.C=1", status="failed", error=hostile, exit_code=3),
    ]
    page = write_reports(rank("s", jobs), tmp_path, tmp_path).read_text()
    lines = (tmp_path / "s.md").read_text().splitlines()
    assert "<script" not in page
    assert page.count("<td") == 2 * 10 + 4
    assert hostile not in page or "<" not in hostile
    assert {line.replace("\\|", "").count("|") for line in lines if line.startswith("|")} == {10, 5}
    assert json.loads((tmp_path / "s.json").read_text())["failed"][0]["error"] == hostile


def test_a_sweep_without_anything_to_compare_has_a_page_without_charts(tmp_path: Path) -> None:
    jobs = [job(0, "model=a", status="failed", error="no", exit_code=2)]
    assert "<svg" not in write_reports(rank("s", jobs), tmp_path, tmp_path).read_text()


def test_the_page_has_a_chart_of_the_ranking_and_links_to_cards(tmp_path: Path) -> None:
    jobs = [
        job(n, f"model={name}", f"c={10**n}", value=0.5 + n / 10, interval=[0.4, 0.8]) for n, name in enumerate("ab")
    ]
    sweep = tmp_path / "sweeps" / "s"
    (sweep / "f1").mkdir(parents=True)
    (sweep / "f1" / CARD_FILE).touch()
    page = write_reports(rank("s", jobs), tmp_path / "experiments", sweep).read_text()
    assert page.count("<svg") == 1
    assert f'href="../sweeps/s/f1/{CARD_FILE}"' in page
    assert f"f0/{CARD_FILE}" not in page
