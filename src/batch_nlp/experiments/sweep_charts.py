"""The figures of a sweep's page: parallel coordinates, and the metric by each parameter."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from batch_nlp.experiments.ranking import Ranking

# From this ratio of the greatest to the least value on, an axis is logarithmic
_LOGARITHMIC = 50


def figures(ranking: Ranking) -> list[str]:
    """Return the figures as HTML, in which all texts are escaped; none where nothing varies or was measured."""
    experiments = [experiment for experiment in ranking.experiments if experiment.value is not None]
    if len(experiments) < 2 or not ranking.parameters:
        return []
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    metric = escape(ranking.metric or "selection metric")
    axes = {key: _Axis([item.settings.get(key, "") for item in experiments]) for key in ranking.parameters}
    values = [item.value for item in experiments]
    lines = go.Figure(
        go.Parcoords(
            line={"color": values, "colorscale": "Viridis", "showscale": True},
            dimensions=[
                *({"label": escape(key), "values": axis.positions, **axis.ticks} for key, axis in axes.items()),
                {"label": metric, "values": values},
            ],
        ),
        layout={"height": 420, "margin": {"l": 140, "r": 80, "t": 70, "b": 40}},
    )
    columns = min(3, len(axes))
    points = make_subplots(
        math.ceil(len(axes) / columns), columns, y_title=metric, subplot_titles=[escape(key) for key in axes]
    )
    for number, axis in enumerate(axes.values()):
        where = {"row": number // columns + 1, "col": number % columns + 1}
        points.add_scatter(
            x=axis.positions,
            y=values,
            mode="markers",
            error_y={
                "type": "data",
                "array": [(item.interval[1] - item.interval[0]) / 2 if item.interval else 0.0 for item in experiments],
                "visible": True,
            },
            hovertext=[
                escape(" ".join(f"{key}={value}" for key, value in item.settings.items())) for item in experiments
            ],
            showlegend=False,
            **where,
        )
        points.update_xaxes(**axis.ticks, **where)
    points.update_layout(height=max(380, 300 * math.ceil(len(axes) / columns)), template="plotly_white")
    return [
        lines.to_html(full_html=False, include_plotlyjs=True),
        points.to_html(full_html=False, include_plotlyjs=False),
    ]


class _Axis:
    """Where the values of a parameter are on an axis, and what stands there: numbers, their logarithms, or names."""

    def __init__(self, texts: list[str]) -> None:
        numbers = [_number(text) for text in texts]
        known = [number for number in numbers if number is not None]
        self.ticks: dict[str, Any] = {}
        self.positions: list[float]
        if len(known) < len(texts):
            names = sorted(set(texts))
            self.positions = [float(names.index(text)) for text in texts]
            self.ticks = {"tickvals": list(range(len(names))), "ticktext": [escape(name) or "-" for name in names]}
        elif min(known) > 0 and max(known) / min(known) >= _LOGARITHMIC:
            self.positions = [math.log10(number) for number in known]
            exponents = range(math.floor(min(self.positions)), math.ceil(max(self.positions)) + 1)
            self.ticks = {"tickvals": list(exponents), "ticktext": [f"{10.0**exponent:g}" for exponent in exponents]}
        else:
            self.positions = known


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
