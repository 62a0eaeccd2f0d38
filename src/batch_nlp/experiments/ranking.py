"""From the results of a sweep's jobs to a ranked table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from batch_nlp.experiments.job_result import REPEATS, JobResult

# Shown in this order where a job has them; the recalls of the classes share a column
_METRICS = ("f1_weighted", "f1_macro", "ece")
_RECALL = "recall_"


def given(overrides: Iterable[str]) -> dict[str, str]:
    """Return settings given as ``key=value`` by their key; what a job takes out (``~key``) has no value."""
    return {key.lstrip("+"): value for key, _, value in (text.removeprefix("~").partition("=") for text in overrides)}


@dataclass(frozen=True)
class Experiment:
    """Jobs that differ only in seed or window: one experiment and its repeats."""

    # At least one, all of them done
    jobs: list[JobResult]

    @cached_property
    def settings(self) -> dict[str, str]:
        """What was given for it, without what makes repeats."""
        return {key: value for key, value in given(self.jobs[0].overrides).items() if key not in REPEATS}

    @property
    def value(self) -> float | None:
        """Mean of the selection metric."""
        spread = _spread(job.value for job in self.jobs)
        return spread and spread[0]

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the selection metric over the repeats (n - 1 in the denominator)."""
        spread = _spread(job.value for job in self.jobs)
        return spread and spread[1]

    @property
    def seconds(self) -> float:
        """Mean duration of a job."""
        return statistics.fmean(job.seconds for job in self.jobs)

    def spread(self, metric: str) -> tuple[float, float | None] | None:
        """Return mean and standard deviation of a metric; None where no repeat has it."""
        return _spread(job.metrics.get(metric) for job in self.jobs)


@dataclass(frozen=True)
class Ranking:
    """A sweep's experiments, best first, and what failed."""

    name: str
    # Best first; those without a metric last
    experiments: list[Experiment]
    failed: list[JobResult]
    # Folders of jobs that left no result (killed, or at work), and the settings given for them
    unfinished: Mapping[str, list[str]]

    @cached_property
    def metric(self) -> str | None:
        """Name of the metric that they are ranked by; None where they have none, or not the same."""
        names = {job.metric for experiment in self.experiments for job in experiment.jobs if job.metric}
        return names.pop() if len(names) == 1 else None

    @cached_property
    def parameters(self) -> list[str]:
        """Settings in which jobs differ, repeats apart."""
        jobs = [
            *(experiment.settings for experiment in self.experiments),
            *(given(overrides) for overrides in [*(job.overrides for job in self.failed), *self.unfinished.values()]),
        ]
        keys = dict.fromkeys(key for settings in jobs for key in settings if key not in REPEATS)
        return [key for key in keys if len({settings.get(key) for settings in jobs}) > 1]

    @cached_property
    def metrics(self) -> list[str]:
        """Metrics that any experiment has, of those that are shown, without the recalls."""
        found = {name for experiment in self.experiments for job in experiment.jobs for name in job.metrics}
        first = [self.metric] if self.metric in found else []
        return [*first, *(name for name in _METRICS if name in found and name != self.metric)]

    @cached_property
    def classes(self) -> list[str]:
        """Classes whose recall is known."""
        names = (name for experiment in self.experiments for job in experiment.jobs for name in job.metrics)
        return list(dict.fromkeys(name.removeprefix(_RECALL) for name in names if name.startswith(_RECALL)))

    def headings(self) -> list[str]:
        """Return the headings of `rows`."""
        recalls = [f"recalls {'/'.join(self.classes)}"] if self.classes else []
        return ["rank", *self.parameters, "repeats", *self.metrics, *recalls, "seconds"]

    def rows(self) -> list[list[str]]:
        """Return the ranked table, as texts."""
        return [
            [
                str(rank),
                *(_short(experiment.settings.get(key, "")) for key in self.parameters),
                str(len(experiment.jobs)),
                *(_figures(experiment.spread(name)) for name in self.metrics),
                *([self._recalls(experiment)] if self.classes else []),
                f"{experiment.seconds:.1f}",
            ]
            for rank, experiment in enumerate(self.experiments, start=1)
        ]

    def failures(self) -> list[list[str]]:
        """Return job, exit code, settings and reason of each job that failed, as texts."""
        rows = [
            [str(job.number), str(job.exit_code), self._told(job.overrides), job.error or ""] for job in self.failed
        ]
        reason = "left no result: it was killed, or is still at work; give the same command with sweep={} to resume"
        return rows + [
            ["", "", self._told(overrides), reason.format(self.name)] for overrides in self.unfinished.values()
        ]

    def _told(self, overrides: list[str]) -> str:
        """Return what tells a job from the others."""
        settings = given(overrides)
        return " ".join(f"{key}={_short(settings[key])}" for key in (*self.parameters, *REPEATS) if key in settings)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "sweep": self.name,
            "metric": self.metric,
            "parameters": self.parameters,
            "experiments": [
                {
                    "rank": rank,
                    "settings": experiment.settings,
                    "repeats": len(experiment.jobs),
                    "value": experiment.value,
                    "deviation": experiment.deviation,
                    "metrics": {
                        name: dict(zip(("mean", "deviation"), experiment.spread(name) or (), strict=False))
                        for name in dict.fromkeys(name for job in experiment.jobs for name in job.metrics)
                    },
                    "seconds": experiment.seconds,
                    "jobs": [_job(job) for job in experiment.jobs],
                }
                for rank, experiment in enumerate(self.experiments, start=1)
            ],
            "failed": [
                {**_job(job), "exit_code": job.exit_code, "error": job.error, "metrics": job.metrics}
                for job in self.failed
            ],
            "unfinished": [{"folder": folder, "overrides": overrides} for folder, overrides in self.unfinished.items()],
        }

    def _recalls(self, experiment: Experiment) -> str:
        spreads = (experiment.spread(_RECALL + name) for name in self.classes)
        return "/".join("-" if spread is None else f"{spread[0]:.3f}" for spread in spreads)


def rank(
    name: str, results: Iterable[JobResult], unfinished: Mapping[str, list[str]] = MappingProxyType({})
) -> Ranking:
    """Return the ranking of a sweep.

    Parameters
    ----------
    name : str
        Of the sweep.
    results : iterable of JobResult
        What its jobs came to. Those that differ only in seed or window count as one experiment, ranked by its mean.
    unfinished : mapping of str to list of str
        Folders of jobs that left no result, and the settings given for them.
    """
    groups: dict[str, list[JobResult]] = {}
    failed = []
    for job in sorted(results, key=lambda job: job.number):
        if job.ok:
            groups.setdefault(job.group, []).append(job)
        else:
            failed.append(job)
    experiments = [Experiment(jobs) for jobs in groups.values()]
    experiments.sort(
        key=lambda experiment: -float("inf") if experiment.value is None else experiment.value, reverse=True
    )
    return Ranking(name, experiments, failed, unfinished)


def _spread(found: Iterable[float | None]) -> tuple[float, float | None] | None:
    values = [value for value in found if value is not None]
    if not values:
        return None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def _short(value: str) -> str:
    """Return a value as a table shows it: numbers that a search drew, with four digits."""
    try:
        return f"{float(value):.4g}" if len(value) > 8 else value
    except ValueError:
        return value


def _figures(spread: tuple[float, float | None] | None) -> str:
    if spread is None:
        return "-"
    mean, deviation = spread
    return f"{mean:.4f}" if deviation is None else f"{mean:.4f} ± {deviation:.4f}"


def _job(job: JobResult) -> dict[str, Any]:
    return {
        "number": job.number,
        "folder": job.fingerprint,
        "overrides": job.overrides,
        "run": job.run,
        "value": job.value,
        "seconds": job.seconds,
    }
