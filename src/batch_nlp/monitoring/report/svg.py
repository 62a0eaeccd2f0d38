"""Small pieces of SVG. Colours come from the page's style by class, so that a figure is light where the page is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor, log10

from markupsafe import Markup, escape

Point = tuple[float, float]


def shape(name: str, content: object = "", **attributes: object) -> Markup:
    """Return an element of a figure.

    Parameters
    ----------
    name : str
    content : object
        Escaped unless it is `Markup`.
    **attributes
        ``kind`` is the class, ``_`` stands for ``-``; numbers are written to a tenth of a unit.

    Examples
    --------
    >>> shape("text", "a < b", x=1.25, text_anchor="end", kind="soft")
    Markup('<text x="1.2" text-anchor="end" class="soft">a &lt; b</text>')
    """
    written = Markup("").join(
        Markup(' {}="{}"').format("class" if key == "kind" else key.replace("_", "-"), _written(value))
        for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, escape(content))


def _written(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def figure(width: float, height: float, alternative: str, parts: Iterable[object], kind: str = "") -> Markup:
    """Return a whole figure, with text for those who cannot see it."""
    size = f"0 0 {_written(width)} {_written(height)}"
    return shape(
        "svg",
        Markup("\n").join(escape(part) for part in parts),
        viewBox=size,
        role="img",
        aria_label=alternative,
        kind=kind,
    )


def polyline(points: Iterable[Point | None], kind: str) -> Markup:
    """Return a line through points, broken where there is none; a point between two gaps becomes a dot."""
    drawn = []
    for run in _runs(points):
        if len(run) == 1:
            drawn.append(shape("circle", cx=run[0][0], cy=run[0][1], r=1.5, kind=f"{kind} dot"))
        else:
            drawn.append(shape("polyline", points=_list(run), kind=kind))
    return Markup("").join(drawn)


def ribbon(lower: Sequence[Point | None], upper: Sequence[Point | None], kind: str) -> Markup:
    """Return the area between two lines with gaps at the same places."""
    runs = zip(_runs(lower), _runs(upper), strict=True)
    return Markup("").join(
        shape("polygon", points=_list([*low, *reversed(high)]), kind=kind) for low, high in runs if len(low) > 1
    )


def short(name: str, longest: int) -> str:
    """Return a name that is cut to a number of characters."""
    name = " ".join(name.split())
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def percent(share: float) -> str:
    """Return a share as a mark of an axis: without decimals where they say nothing.

    Examples
    --------
    >>> percent(0.1), percent(0.125)
    ('10%', '12.5%')
    """
    return f"{100 * share:.3g}%"


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return round numbers between two others, about as many as are asked for.

    Examples
    --------
    >>> nice_ticks(0.0, 0.34), nice_ticks(0.63, 0.83)
    ([0.0, 0.1, 0.2, 0.3], [0.65, 0.7, 0.75, 0.8])
    """
    rough = (high - low) / count
    unit = 10.0 ** floor(log10(rough))
    step = min((factor * unit for factor in (1, 2, 5, 10)), key=lambda size: abs(size - rough))
    return [round(number * step, 10) for number in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _list(points: Iterable[Point]) -> str:
    return " ".join(f"{_written(float(x))},{_written(float(y))}" for x, y in points)


def _runs(points: Iterable[Point | None]) -> Iterator[list[Point]]:
    run: list[Point] = []
    for point in points:
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run
