"""Ranks the experiments of a sweep, and says which are worse than the best beyond chance."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from scipy import stats

from batch_nlp.experiments.job_result import REPEATS, JobResult
from batch_nlp.metrics.confusion import METRIC_NAMES

CONFIDENCE = 0.95
BEST, WITHIN_CHANCE, WORSE, UNKNOWN = "best", "within chance", "worse", "-"

Interval = tuple[float, float]


def given(overrides: Iterable[str]) -> dict[str, str]:
    """Return the settings of ``key=value`` texts by key; a removed setting (``~key``) has an empty value."""
    return {key.lstrip("+"): value for key, _, value in (text.removeprefix("~").partition("=") for text in overrides)}


@dataclass(frozen=True)
class Experiment:
    """Jobs that differ only in seed or window: an experiment and its repeats."""

    # At least one; all succeeded
    jobs: list[JobResult]

    @cached_property
    def settings(self) -> dict[str, str]:
        """Its settings on the command line, except those of repeats."""
        return {key: value for key, value in given(self.jobs[0].overrides).items() if key not in REPEATS}

    @cached_property
    def values(self) -> dict[tuple[str | None, ...], float]:
        """The selection metric of each repeat, by seed and window."""
        repeats = ((given(job.overrides), job.value) for job in self.jobs)
        return {tuple(map(settings.get, REPEATS)): value for settings, value in repeats if value is not None}

    @property
    def value(self) -> float | None:
        """Mean of the selection metric."""
        return statistics.fmean(self.values.values()) if self.values else None

    @cached_property
    def interval(self) -> Interval | None:
        """Interval of the mean: Student's t over repeats; without varying repeats, that of the hold-out."""
        values = list(self.values.values())
        if _vary(values):
            return _t_interval(values, CONFIDENCE)
        found = self.jobs[0].interval
        return (found[0], found[1]) if found else None

    @property
    def seconds(self) -> float:
        """Mean duration of a job."""
        return statistics.fmean(job.seconds for job in self.jobs)

    @cached_property
    def metrics(self) -> dict[str, tuple[float, float | None]]:
        """Mean and standard deviation (n - 1 in the denominator; None for a single value) of each metric."""
        names = dict.fromkeys(name for job in self.jobs for name in job.metrics)
        found = {name: [job.metrics[name] for job in self.jobs if name in job.metrics] for name in names}
        return {
            name: (statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)
            for name, values in found.items()
        }


@dataclass(frozen=True)
class Ranking:
    """The experiments of a sweep, best first, and its failures."""

    name: str
    # Best first; those without a metric last
    experiments: list[Experiment]
    failed: list[JobResult]
    # Folders of jobs without a result (killed, or still running), with their settings
    unfinished: Mapping[str, list[str]]

    @cached_property
    def metric(self) -> str | None:
        """Name of the selection metric; None if there is none, or more than one."""
        names = {job.metric for experiment in self.experiments for job in experiment.jobs if job.metric}
        return names.pop() if len(names) == 1 else None

    @property
    def metric_name(self) -> str:
        """The selection metric, as people call it."""
        return METRIC_NAMES.get(self.metric or "", self.metric or "selection metric")

    @cached_property
    def parameters(self) -> list[str]:
        """Settings that differ between jobs, except those of repeats."""
        jobs = [
            *(experiment.settings for experiment in self.experiments),
            *(given(overrides) for overrides in [*(job.overrides for job in self.failed), *self.unfinished.values()]),
        ]
        keys = dict.fromkeys(key for settings in jobs for key in settings if key not in REPEATS)
        return [key for key in keys if len({settings.get(key) for settings in jobs}) > 1]

    @cached_property
    def against_the_best(self) -> list[str]:
        """For each experiment: `BEST`, `WITHIN_CHANCE`, `WORSE`, or `UNKNOWN`.

        Experiments with common repeats are compared by paired t-intervals, at a level that allows for the number of
        comparisons (Bonferroni); others by whether their intervals overlap, which is the more cautious rule.
        """
        measured = [experiment for experiment in self.experiments if experiment.value is not None]
        level = 1 - (1 - CONFIDENCE) / max(len(measured) - 1, 1)
        verdicts = [_compare(measured[0], other, level) for other in measured[1:]]
        unmeasured = [UNKNOWN] * (len(self.experiments) - len(measured))
        return [*([BEST] if measured else []), *verdicts, *unmeasured]

    @property
    def placed(self) -> list[tuple[int, Experiment, str]]:
        """Place, experiment, and how it compares with the best."""
        return [*zip(range(1, len(self.experiments) + 1), self.experiments, self.against_the_best, strict=True)]

    @property
    def headline(self) -> str:
        """Which experiment is best, and whether that is beyond chance."""
        if not self.experiments or self.experiments[0].value is None:
            return "No job measured the selection metric: nothing to rank."
        best = self.experiments[0]
        found = f"Best: {self.distinct(best.settings) or 'the only experiment'}, {self.metric_name} {best.value:.3f}"
        others, equal = len(self.experiments) - 1, self.against_the_best.count(WITHIN_CHANCE)
        if not others:
            return f"{found}."
        if UNKNOWN in self.against_the_best:
            return f"{found}. Whether all others are worse beyond chance is unknown."
        if not equal:
            return f"{found}, better than all others beyond chance."
        who = "The other one" if others == 1 else f"{equal} of the other {others}"
        return f"{found}. {who} may be as good: the difference is within chance."

    def distinct(self, settings: Mapping[str, str]) -> str:
        """Return the settings that distinguish a job from the others."""
        return " ".join(f"{key}={short(settings[key])}" for key in (*self.parameters, *REPEATS) if key in settings)


def rank(
    name: str, results: Iterable[JobResult], unfinished: Mapping[str, list[str]] = MappingProxyType({})
) -> Ranking:
    """Return the ranking of a sweep.

    Jobs that differ only in seed or window count as one experiment, ranked by its mean. `unfinished` has the folders
    of jobs without a result, with their settings.
    """
    groups: dict[str, list[JobResult]] = {}
    failed = []
    for job in sorted(results, key=lambda job: job.number):
        if job.ok:
            groups.setdefault(job.group, []).append(job)
        else:
            failed.append(job)
    experiments = [Experiment(jobs) for jobs in groups.values()]
    experiments.sort(key=lambda found: -np.inf if found.value is None else found.value, reverse=True)
    return Ranking(name, experiments, failed, unfinished)


def short(value: str) -> str:
    """Return the value of a setting for a table: long numbers, as a search draws them, with four digits."""
    try:
        return f"{float(value):.4g}" if len(value) > 8 else value
    except ValueError:
        return value


def _compare(best: Experiment, other: Experiment, level: float) -> str:
    """Compare two experiments that both have a value."""
    common = best.values.keys() & other.values.keys()
    differences = [best.values[repeat] - other.values[repeat] for repeat in common]
    if _vary(differences):
        return WORSE if _t_interval(differences, level)[0] > 0 else WITHIN_CHANCE
    if best.interval is None or other.interval is None:
        return UNKNOWN
    return WORSE if other.interval[1] < best.interval[0] else WITHIN_CHANCE


def _vary(values: list[float]) -> bool:
    """Whether values differ: repeats of a model without randomness are equal, and reveal nothing about chance."""
    return len(values) > 1 and bool(np.ptp(values) > 1e-9)


def _t_interval(values: list[float], level: float) -> Interval:
    mean = statistics.fmean(values)
    margin = float(stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values))
    return mean - margin, mean + margin
