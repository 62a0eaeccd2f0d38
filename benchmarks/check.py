"""Check for regressions: compare ratios of small runs with their floors. Ratios hold on any machine.

All sides of a ratio are measured in the same round, in turn, in CPU seconds, which other work on the machine affects
least. The median of each ratio over the rounds counts. The time to start a process would hide the time per message: it
is subtracted by comparing two runs, or is on both sides of the ratio.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.cases import PRODUCT, SECOND_RUN, Case, cases, function_contender, inference_contender
from benchmarks.measure import Contender, Row, measure_once
from benchmarks.workloads import first, generated, generated_champion, only_new

FLOORS = Path(__file__).with_name("floors.json")
MESSAGES, FEW = 10_000, 2000
ROUNDS = 3
# small batches, so that both sizes have several
SETTINGS = ("engine.batch_rows=1000", "engine.commit_rows=2000")
# a model of the default's parts that trains in seconds
LIGHT = (
    "sample.messages=1500",
    "sample.broken_share=0",
    "model.params.n_estimators=40",
)


def check(work: Path, tell: Callable[[str], None]) -> list[str]:
    """Measure the ratios in the folder of the workloads, and describe those that are out of bounds."""
    contenders = _contenders(work)
    rounds = []
    for _ in range(ROUNDS):
        rows = {name: measure_once(contender, "", name) for name, contender in contenders.items()}
        if failed := [f"{name}: {row.error}" for name, row in rows.items() if row.error]:
            return failed
        rounds.append(ratios(rows))
    found = {name: [one[name] for one in rounds] for name in rounds[0]}
    for name, values in found.items():
        tell(f"{name}: {median(values):.3g} ({min(values):.3g} to {max(values):.3g})")
    return broken({name: median(values) for name, values in found.items()}, json.loads(FLOORS.read_text()))


def ratios(rows: Mapping[str, Row]) -> dict[str, float]:
    """Return the ratios of one round from the measurements of its contenders by name."""
    ours, theirs = (rows[name].facts["cpu_seconds"] for name in ("stages", "pandas"))
    found = {f"{stage}: baseline / batch-nlp": theirs[stage] / ours[stage] for stage in theirs}
    found["embedding: baseline / batch-nlp"] = rows["model2vec"].cpu_seconds / ours["embedding"]
    scored = _further(rows["inference"], rows["inference of few"])
    found["inference, each further message: baseline / batch-nlp"] = _cpu(rows["pandas"]) / scored
    stored = _further(rows["feature pipeline"], rows["feature pipeline of few"])
    pandas = (theirs["extract and join"] + theirs["features"]) / rows["pandas"].done
    found["feature pipeline, each further message: baseline / batch-nlp"] = pandas / stored

    def cpu(name: str, other: str) -> float:
        return rows[name].cpu_seconds / rows[other].cpu_seconds

    found["feature pipeline: 1 % new after the others / these alone"] = cpu("second run", "feature pipeline of few")
    found["feature pipeline: nothing new / 1 % new"] = cpu("nothing new", "second run")
    found["drift analysis / inference of the same messages"] = cpu("drift analysis", "inference")
    found[f"inference: peak RSS of {MESSAGES:,} / of {FEW:,} messages"] = (
        rows["inference"].peak_rss_mib / rows["inference of few"].peak_rss_mib
    )
    return found


def broken(ratios: Mapping[str, float], floors: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Describe the ratios that are out of bounds, were not measured, or have no bounds.

    Examples
    --------
    >>> broken({"a": 0.4, "b": 1.0}, {"a": {"at_least": 0.5}, "b": {"at_most": 1.3}})
    ['a is 0.4, need at least 0.5']
    """
    found = []
    for name, bounds in floors.items():
        ratio = ratios.get(name)
        if ratio is None:
            found.append(f"{name} was not measured")
            continue
        if ratio < bounds.get("at_least", ratio):
            found.append(f"{name} is {ratio:.3g}, need at least {bounds['at_least']:g}")
        if ratio > bounds.get("at_most", ratio):
            found.append(f"{name} is {ratio:.3g}, need at most {bounds['at_most']:g}")
    return found + [f"{name} has no floor in {FLOORS.name}" for name in ratios if name not in floors]


def _contenders(work: Path) -> dict[str, Contender]:
    """Return the contenders, in the order of their turns."""
    champion = generated_champion(work, "light-champion", LIGHT)
    workload = generated(MESSAGES, work, champion, SETTINGS)
    data = workload.place("stages")

    def step(function: str) -> Contender:
        return function_contender(workload, data, lambda: workload.fresh(data), function, "product", function)

    second = _of_stage(cases(workload), "feature pipeline", SECOND_RUN)
    return {
        "stages": step("stages:each"),
        "model2vec": step("baselines.encoders:model2vec"),
        "inference": inference_contender(workload),
        "drift analysis": _of_stage(cases(workload), "drift analysis", PRODUCT),
        "inference of few": inference_contender(first(workload, FEW)),
        "pandas": step("baselines.pandas_version:each"),
        "feature pipeline": _of_stage(cases(workload), "feature pipeline", PRODUCT),
        "second run": second,
        "nothing new": replace(second, prepare=None),
        "feature pipeline of few": _of_stage(cases(only_new(workload)), "feature pipeline", PRODUCT),
    }


def _of_stage(stages: list[Case], name: str, contender: str) -> Contender:
    (stage,) = (case for case in stages if case.stage == name)
    return next(one for one in stage.contenders if one.name == contender)


def _cpu(row: Row) -> float:
    """Return the CPU seconds per message."""
    return row.cpu_seconds / row.done


def _further(many: Row, few: Row) -> float:
    """Return the CPU seconds per message by which one run exceeds another."""
    return max(many.cpu_seconds - few.cpu_seconds, 1e-6) / (many.done - few.done)
