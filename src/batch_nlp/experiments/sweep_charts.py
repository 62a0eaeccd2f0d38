"""The charts of a sweep: the ranked experiments with their intervals, and the metric by each setting that varies."""

from __future__ import annotations

import math

from markupsafe import Markup

from batch_nlp.experiments.ranking import WORSE, Experiment, Ranking, short
from batch_nlp.reports import charts
from batch_nlp.reports.charts import DATA, SOFT, WIDTH, Chart
from batch_nlp.reports.interval_rows import IntervalRow, interval_rows

# Experiments in the chart; the table has all of them
_SHOWN = 20
# An axis is logarithmic if its greatest value is this many times its least
_LOGARITHMIC = 50


def ranked_chart(ranking: Ranking) -> Markup | None:
    """Return the best experiments with their intervals; None if there is nothing to compare."""
    rows = [_row(ranking, *placed) for placed in ranking.placed[:_SHOWN] if placed[1].value is not None]
    if len(rows) < 2:
        return None
    listed = "; ".join(f"{row.label}: {row.figures}" for row in rows)
    return interval_rows("ranked", rows, ranking.metric_name, f"Ranked by metric. {listed}.")


def setting_charts(ranking: Ranking) -> list[Markup]:
    """Return a panel per setting that varies, with the metric of each experiment; none if nothing was measured."""
    found = [experiment for experiment in ranking.experiments if experiment.value is not None]
    return [_panel(ranking, key, found) for key in ranking.parameters] if len(found) > 1 else []


def _panel(ranking: Ranking, key: str, experiments: list[Experiment]) -> Markup:
    texts = [experiment.settings.get(key, "") or "-" for experiment in experiments]
    numbers = [number for number in map(_number, texts) if number is not None]
    numeric = len(numbers) == len(texts)

    def on(chart: Chart) -> None:
        chart.figure.set_layout_engine("constrained")
        axes = chart.figure.add_subplot()
        values = [experiment.value or 0.0 for experiment in experiments]
        bounds = [experiment.interval or (math.nan, math.nan) for experiment in experiments]
        errors = [[abs(value - bound[side]) for value, bound in zip(values, bounds, strict=True)] for side in (0, 1)]
        places = numbers if numeric else [charts.short(text, 14) for text in texts]
        axes.errorbar(places, values, errors, fmt="o", color=DATA, ecolor=SOFT, elinewidth=1)
        if numeric and min(numbers) > 0 and max(numbers) >= _LOGARITHMIC * min(numbers):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(charts.short(key, 40))
        axes.set_ylabel(ranking.metric_name)
        axes.margins(0.08)
        axes.grid(axis="y")

    listed = ", ".join(
        f"{short(text)}: {experiment.value:.3f}" for text, experiment in zip(texts, experiments, strict=True)
    )
    return charts.draw_chart(f"setting-{key}", (WIDTH, 230), f"{ranking.metric_name} by {key}. {listed}.", on)


def _row(ranking: Ranking, place: int, experiment: Experiment, verdict: str) -> IntervalRow:
    """Return an experiment by its place and the values of the settings that vary."""
    values = " · ".join(short(experiment.settings.get(key, "") or "-") for key in ranking.parameters)
    low, high = experiment.interval or (None, None)
    return IntervalRow(f"{place}. {values}", experiment.value, low, high, SOFT if verdict == WORSE else DATA)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
