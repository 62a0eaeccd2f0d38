"""Days replayed through the real runner. `make simulate-bars` adds the long ones: the figures that are promised."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeConfig

from batch_nlp.config import Config, Policy
from batch_nlp.errors import GateError
from batch_nlp.runner import run_stages
from batch_nlp.simulation.replay import replay
from batch_nlp.simulation.simulation_result import Result, macro_f1

bars = pytest.mark.skipif(
    not os.environ.get("BATCH_NLP_SIMULATION_BARS"), reason="takes minutes; `make simulate-bars` runs it"
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
# what is shown is when systems retrain, not how good a model can be
QUICK = (
    "pipeline=simulate",
    "sample.messages=1200",
    "model=logistic_regression",
    "training.inputs=[tabular,embedding]",
    "training.thresholds.f1_macro=0.4",
    "training.thresholds.recall=0.1",
)
# enough where nothing needs to be learned
SHORT = ("sample.messages=800", "training.decision.calibration=none", "training.decision.metric=null")

Simulated = tuple[Config, dict[Path, bytes], dict[str, Any]]


def tree(folder: Path) -> dict[Path, bytes]:
    """Return the content of every file but those of simulations, the entry page, and the figures of the run itself."""
    apart = {"simulations", "metrics", "index.html"}
    files = (path for path in folder.rglob("*") if path.is_file() and not apart & set(path.parts))
    return {path: path.read_bytes() for path in files}


def sudden_shift(folder: Path, make_config: MakeConfig, *overrides: str) -> Simulated:
    """Simulate a few days; return settings, the user's files before, and what was found."""
    config = make_config(
        folder, *QUICK, "simulation.scenario=sudden_shift", "simulation.change_day=2",
        "simulation.policies=[never,rule]", "notify=json", "notify.url_variable=NO_SUCH_VARIABLE", *overrides,
    )  # fmt: skip
    before = tree(folder)
    run_stages(config, NOW, alone=False)
    (result,) = (folder / "data" / "08_reporting" / "simulations").glob("*/result.json")
    return config, before, json.loads(result.read_text())


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory, make_config: MakeConfig) -> Simulated:
    return sudden_shift(
        tmp_path_factory.mktemp("simulation"), make_config, *SHORT, "simulation.days=2", "simulation.change_day=1"
    )


def test_a_simulation_leaves_user_files_unchanged_and_writes_only_its_report(simulated):
    config, before, _ = simulated
    folder = Path(config.paths.data).parent
    assert tree(folder) == before
    assert not Path(config.paths.models).exists()
    (report,) = (folder / "data" / "08_reporting" / "simulations").iterdir()
    assert report.name == "sudden_shift-20260304T050607000000Z"
    assert sorted(path.name for path in report.iterdir()) == ["index.html", "macro_f1.svg", "result.json"]


@pytest.mark.long
def test_the_policy_rule_retrains_and_the_policy_never_does_not(tmp_path, make_config):
    _, _, result = sudden_shift(tmp_path, make_config, "simulation.days=4")
    never, rule = result["policies"]["never"], result["policies"]["rule"]
    assert never["summary"]["trainings"] == 0
    assert {day["champion"] for day in never["days"]} == {"v0001"}
    assert {day["exit_code"] for day in never["days"]} == {0}
    assert rule["summary"]["trainings"] >= 1
    assert rule["days"][0]["trainings"] == 0
    assert any(day["verdict"] == "drift" for day in rule["days"][1:])
    # each alarm was answered: by a new champion, by a candidate that was not published, or by an alert
    for day in rule["days"]:
        if day["verdict"] == "drift":
            assert day["exit_code"] == (0 if day["promotions"] else 5 if day["trainings"] else 4)


def test_all_policies_see_the_same_messages(simulated):
    _, _, result = simulated
    days = [policy["days"] for policy in result["policies"].values()]
    assert all(sum(map(sum, day["confusion"])) >= 115 for day in days[0])
    support = [[[sum(row) for row in day["confusion"]] for day in found] for found in days]
    assert support[0] == support[1]
    # until the first retraining they predict the same, too
    assert days[0][0]["confusion"] == days[1][0]["confusion"]


def test_a_first_champion_that_fails_its_gate_is_an_error_of_day_0_and_leaves_nothing(tmp_path, make_config):
    config = make_config(tmp_path, *QUICK, *SHORT, "training.thresholds.f1_macro=0.99", "simulation.days=1")
    with pytest.raises(GateError, match="Day 0"):
        run_stages(config, NOW, alone=False)
    assert not [path for path in (tmp_path / "data" / "08_reporting" / "simulations").rglob("*") if path.is_file()]


def simulate(folder: Path, make_config: MakeConfig, *overrides: str) -> Result:
    config = make_config(folder, *QUICK, *overrides)
    result = replay(config, folder / "simulation", run_stages)
    print({policy.value: result.summary(policy) for policy in result.policies})
    return result


@bars
def test_on_50_stable_days_the_rule_retrains_at_most_5_times(tmp_path, make_config):
    result = simulate(tmp_path, make_config, "simulation.policies=[rule]")
    assert result.summary(Policy.rule)["trainings"] <= 5


@bars
def test_a_sudden_shift_is_answered_at_once_and_cheaply(tmp_path, make_config):
    result = simulate(tmp_path, make_config, "simulation.scenario=sudden_shift", "simulation.policies=[always,rule]")
    # labels of day 10 come on day 11
    first = next(day.day for day in result.policies[Policy.rule] if day.day >= 11 and day.trainings)
    assert first == 11
    rule, always = (macro_f1(result.since(policy, first)) for policy in (Policy.rule, Policy.always))
    assert rule is not None
    assert always is not None
    assert rule >= always - 0.02
    assert result.summary(Policy.rule)["trainings"] <= result.summary(Policy.always)["trainings"] / 5


@bars
def test_no_candidate_that_learned_from_poisoned_labels_takes_the_champions_place(tmp_path, make_config):
    result = simulate(tmp_path, make_config, "simulation.scenario=poisoned_labels", "simulation.policies=[rule]")
    days = result.policies[Policy.rule]
    # day 11 brings the first poisoned labels; the newest messages are held out, so a candidate of that day has only
    # been measured on them, and what it learned from is sound
    assert days[-1].champion == days[10].champion
    assert any(day.alarm for day in days[10:])
