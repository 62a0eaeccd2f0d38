"""Charts for pages: Matplotlib draws them as small SVG elements with links, tooltips and the colours of the page.

The same values give the same bytes. Text stays text, of one size on a phone and on a screen: a chart is as wide as a
phone, and pages place several charts side by side where there is room.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours by the name of their variable in style.css, which also has dark and printed tones
COLOURS = {
    "ink": "#1b2530",
    "soft": "#566472",
    "line": "#dde3ea",
    "paper": "#ffffff",
    "data": "#0b62a8",
    "second": "#b3590a",
    "third": "#3f8f74",
    "band": "#e3f1ea",
    "edge": "#4f9a77",
    "track": "#c9d2dc",
    "bad": "#b3161d",
    "good": "#0a6b45",
    "warn": "#8a5300",
}
INK, SOFT, LINE, PAPER, DATA, SECOND, THIRD, BAND, EDGE, TRACK, BAD, GOOD, WARN = COLOURS.values()
# CSS pixels of a chart that fits a phone
WIDTH = 360
# Matplotlib's unit is 1/72 inch, a page's is a pixel: figures are laid out at one pixel per point
_POINTS_PER_INCH = 72


def draw_chart(
    name: str,
    size: tuple[float, float],
    alternative: str,
    on: Callable[[Figure], None],
    themed: bool = True,
) -> Markup:
    """Return a chart as an ``svg`` element, which a template can show as it is.

    Parameters
    ----------
    name : str
        Unique among the charts of a page: it keeps their ids apart.
    size : tuple of float
        Width and height in CSS pixels. The page scales a chart to the room that it has; `WIDTH` fits a phone.
    alternative : str
        What the chart says, in words, for those who cannot see it.
    on : callable
        Draws on the figure with Matplotlib, in the colours of this module. Lengths in points, such as font sizes and
        line widths, are CSS pixels.
    themed : bool
        Whether the colours follow the page, which may be dark. Off for an SVG file, which stands alone.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # start from Matplotlib's defaults, not from the user's settings; the salt makes the ids of charts differ
    with rc_context({**_style(), "svg.hashsalt": name}), warnings.catch_warnings():
        # a browser has the glyphs that this font lacks
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(size[0] / _POINTS_PER_INCH, size[1] / _POINTS_PER_INCH), dpi=_POINTS_PER_INCH)
        on(figure)
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    variables = {colour: f"var(--{name})" for name, colour in COLOURS.items()} if themed else {}
    # Matplotlib and `_element` escape every text
    return Markup(_element(file.getvalue(), size, alternative, variables))  # noqa: S704 # nosec B704


def short(name: str, most: int = 24) -> str:
    """Return a name, cut to `most` characters."""
    name = " ".join(name.split())
    return name if len(name) <= most else f"{name[: most - 1]}…"


def hit_areas(axes: Axes, places: Sequence[float], titles: Sequence[str], links: Sequence[str]) -> None:
    """Cover each place on the x axis with an invisible column that has a tooltip and a link."""
    from matplotlib.collections import PolyCollection

    left, right = axes.get_xlim()
    edges = [left, *((one + two) / 2 for one, two in pairwise(places)), right]
    columns = PolyCollection(
        [[(one, 0), (one, 1), (two, 1), (two, 0)] for one, two in pairwise(edges)],
        transform=axes.get_xaxis_transform(),
        facecolors="none",
        edgecolors="none",
        gid="hit",
        clip_on=False,
    )
    # Matplotlib has no tooltips: until `_link`, the URL carries the title too, in hexadecimal, which nothing changes
    texts = zip(links, titles, strict=True)
    columns.set_urls([f"@{link.encode().hex()}-{title.encode().hex()}" for link, title in texts])
    axes.add_collection(columns, autolim=False)


def label_ends(axes: Axes, places: Sequence[float], labels: Sequence[str]) -> None:
    """Label places on the x axis. The first label starts at its place, and the last one ends there."""
    axes.set_xticks(places, labels)
    axes.tick_params(axis="x", length=0)
    if len(labels) > 1:
        axes.get_xticklabels()[0].set_horizontalalignment("left")
        axes.get_xticklabels()[-1].set_horizontalalignment("right")


def nice_ticks(low: float, high: float, most: int = 3) -> list[float]:
    """Return round numbers between two others, with at most `most` steps."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in found if low <= tick <= high]


def ticks_beside(edges: Sequence[float | None], low: float, high: float, room: float) -> list[float]:
    """Return the edges of a band, and nice ticks that leave them `room`, a share of the axis."""
    kept = [edge for edge in edges if edge is not None and low < edge < high]
    least = room * (high - low)
    return kept + [tick for tick in nice_ticks(low, high) if all(abs(tick - edge) > least for edge in kept)]


@cache
def _style() -> dict[Any, Any]:
    from matplotlib import rcParamsDefault

    fresh = {key: value for key, value in rcParamsDefault.items() if not key.startswith(("backend", "interactive"))}
    return fresh | {
        "svg.fonttype": "none",  # text stays text: it can be read aloud, copied and searched
        "text.parse_math": False,  # a dollar in a name is a dollar
        "font.family": ["DejaVu Sans"],
        "font.size": 12,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "axes.edgecolor": TRACK,
        "axes.titlesize": 13,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelcolor": SOFT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": LINE,
        "text.color": INK,
        "xtick.color": TRACK,
        "ytick.color": TRACK,
        "xtick.labelcolor": SOFT,
        "ytick.labelcolor": SOFT,
        "xtick.labelsize": 11.5,
        "ytick.labelsize": 11.5,
        "legend.frameon": False,
        "legend.fontsize": 11.5,
    }


def _element(svg: str, size: tuple[float, float], alternative: str, variables: dict[str, str]) -> str:
    """Return an SVG document as an element of a page, with an alternative text."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    used = set(re.findall(r"#([\w.-]+)", svg))
    svg = re.sub(r"<[a-z][^<>]*>", lambda tag: _tidied(tag[0], used, variables), svg)
    svg = re.sub(r'<a xlink:href="@(\w*)-(\w*)"[^>]*>', _link, svg)
    box = f'viewBox="0 0 {size[0]:g} {size[1]:g}" role="img" aria-label="{escape(alternative)}"'
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    body = re.sub(r"\n\s*", "\n", svg[svg.index(">") + 1 :].strip())
    return f'<svg {spaces} {box} font-family="system-ui, sans-serif" stroke-linejoin="round">{body}'


def _tidied(tag: str, used: set[str], variables: dict[str, str]) -> str:
    """Return a tag of Matplotlib without unused ids and needless decimals, and with variables for colours."""
    tag = tag.replace(' id="hit"', ' class="hit"')
    tag = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", tag)
    tag = re.sub(r"; font-family: [^;\"]*|(?<=\.\d\d)\d+| transform=\"rotate\(-0 [^\"]*\"", "", tag)
    tag = re.sub(r"(?<=: )#[0-9a-f]{6}", lambda found: variables.get(found[0], found[0]), tag)
    return tag if tag.startswith("<text") else " ".join(tag.split())


def _link(found: re.Match[str]) -> str:
    """Return the opening tag of a link, with its tooltip."""
    link, title = (escape(bytes.fromhex(part).decode()) for part in found.groups())
    return f'<a href="{link}"><title>{title}</title>'
