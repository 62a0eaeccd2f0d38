"""Metrics as a file in Prometheus' text format, for the textfile collector of a node exporter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

from batch_nlp.monitoring.report.document import json_value
from batch_nlp.storage.atomic import write_bytes

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


@dataclass(frozen=True)
class Family:
    """A metric.

    Parameters
    ----------
    name : str
        Of a counter without ``_total``.
    text : str
        What it means.
    values : mapping of str to float or None
        By the value of its own label; None is left out.
    label : str
        Name of that label; empty where there is one value only.
    counter : bool
    """

    name: str
    text: str
    values: Mapping[str, float | None]
    label: str = ""
    counter: bool = False


def one(name: str, text: str, value: float | None, counter: bool = False) -> Family:
    """Return a metric without a label of its own."""
    return Family(name, text, {"": value}, counter=counter)


def write_families(path: Path, common: Mapping[str, str], families: Iterable[Family]) -> None:
    """Write metrics, all or nothing.

    Parameters
    ----------
    path : Path
    common : mapping of str to str
        Labels that all of them have.
    families : iterable of Family
    """
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([_metric(family, common) for family in families]))
    write_bytes(path, generate_latest(registry))


def last_value(path: Path, name: str) -> float | None:
    """Return the value that a file has for a metric of one sample; None where it has none, or there is no file."""
    from prometheus_client.parser import text_string_to_metric_families

    if not path.exists():
        return None
    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        logger.warning("{}: not readable ({}), and written anew", path, error)
        return None
    values = [sample.value for family in families if family.name == name for sample in family.samples]
    return values[0] if values else None


class _Collected:
    """Metrics that are worked out already, as the registry asks for them."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _metric(family: Family, common: Mapping[str, str]) -> Metric:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if family.counter else GaugeMetricFamily
    metric = kind(family.name, family.text, labels=[*common, *filter(None, [family.label])])
    for own, value in family.values.items():
        labels = [*common.values(), *([own] if family.label else [])]
        if value is not None:
            metric.add_metric([json_value(label) for label in labels], value)
    return metric
