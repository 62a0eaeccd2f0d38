"""The check for regressions: ratios of a small run against their floors. Ratios, since machines differ.

Both sides of a ratio are measured in the same run, in turns, in CPU seconds: what else the machine does changes these
least.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cases import PRODUCT, SECOND_RUN, Case, cases, inference_contender
from benchmarks.measure import Contender, Row, measure, measure_once
from benchmarks.workloads import first, generated, generated_champion

FLOORS = Path(__file__).with_name("floors.json")
SMALL, LARGER = 3000, 9000
# batches so small that both sizes are several
SETTINGS = ("engine.batch_rows=1000", "engine.commit_rows=1000")
# a model that is made in seconds, of the parts that the default has
LIGHT = (
    "sample.messages=1500",
    "sample.broken_share=0",
    "model.params.n_estimators=40",
)
# Stages, the baseline that each is compared with, and rounds
PAIRS = {
    "extract and join": ("pandas: read_json and merge", 2),
    "embedding": ("model2vec, the same table", 1),
    "prediction": ("scikit-learn: TF-IDF and logistic regression", 1),
    "inference": ("pandas, TF-IDF and XGBoost", 1),
}


def broken(ratios: Mapping[str, float], floors: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return in words which ratios are out of their bounds, were not measured, or have none.

    Parameters
    ----------
    ratios : mapping of str to float
    floors : mapping
        Ratio -> ``at_least`` or ``at_most``, a number.

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


def check(work: Path, tell: Callable[[str], None]) -> list[str]:
    """Measure the ratios, and return in words what is wrong with them.

    Parameters
    ----------
    work : Path
        Where workloads are kept.
    tell : callable
        Takes a line for whoever watches.
    """
    champion = generated_champion(work, "light-champion", LIGHT)
    larger = generated(LARGER, work, champion, SETTINGS)
    small = first(larger, SMALL)
    found = _Ratios(tell)
    stages = {case.stage: case for case in cases(small)}
    for stage, (baseline, rounds) in PAIRS.items():
        pair = [_named(stages[stage], PRODUCT), _named(stages[stage], baseline)]
        rows = measure(pair, small.name, stage, rounds)
        name = f"{stage}: CPU of {baseline} / of batch-nlp"
        if stage != "inference":
            found.add(name, rows, lambda ours, theirs: _cpu(theirs) / _cpu(ours))
            continue
        more = [measure_once(inference_contender(larger), larger.name, stage), *rows]
        # of the messages that the larger one has more: the start of a run would hide what a message takes
        found.add(
            f"{name}, for each further message",
            more,
            lambda large, little, theirs: _cpu(theirs) / _further(large, little),
        )
        name = f"{stage}: peak RSS at {LARGER:,} / at {SMALL:,} messages"
        found.add(name, more[:2], lambda large, little: large.peak_rss_mib / little.peak_rss_mib)
    features = {case.stage: case for case in cases(larger)}["feature pipeline"]
    runs = [_named(features, PRODUCT), _named(features, SECOND_RUN)]
    name = "feature pipeline: CPU of a second run with 1 % new / of the first"
    rows = measure(runs, larger.name, features.stage, 1)
    found.add(name, rows, lambda all_new, few_new: few_new.cpu_seconds / all_new.cpu_seconds)
    return found.errors + broken(found.ratios, json.loads(FLOORS.read_text()))


@dataclass
class _Ratios:
    """The ratios so far, and what failed on the way."""

    tell: Callable[[str], None]
    ratios: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def add(self, name: str, rows: Sequence[Row], ratio: Callable[..., float]) -> None:
        """Keep a ratio of some rows, if all of them were measured."""
        failed = [f"{row.stage}, {row.contender}: {row.error}" for row in rows if row.error]
        self.errors += failed
        if not failed:
            self.ratios[name] = ratio(*rows)
            self.tell(f"{name}: {self.ratios[name]:.3g}")


def _cpu(row: Row) -> float:
    """Return the CPU seconds for a message."""
    return row.cpu_seconds / row.done


def _further(large: Row, little: Row) -> float:
    """Return the CPU seconds for a message that one run has more than another."""
    return max(large.cpu_seconds - little.cpu_seconds, 1e-6) / (large.done - little.done)


def _named(case: Case, start: str) -> Contender:
    return next(contender for contender in case.contenders if contender.name.startswith(start))
