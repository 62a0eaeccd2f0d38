"""The figures of a model card, as SVG for the page itself. The same facts give the same bytes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from batch_nlp.reports.pages import environment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A palette that is told apart in any kind of colour blindness (Okabe and Ito, 2008)
_BLUE, _ORANGE, _GREY, _GREEN = "#0072b2", "#d55e00", "#7b8794", "#009e73"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, copied and searched
    "svg.hashsalt": "batch-nlp",
    "text.parse_math": False,  # a dollar in a name is a dollar
    "font.size": 9.5,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GREY,
    "text.color": "#1f2933",
    "axes.labelcolor": "#1f2933",
    "xtick.color": "#3e4c59",
    "ytick.color": "#3e4c59",
}
# inches; as narrow as a phone, so that the text is as large there as it is meant to be
_WIDTH = 4.9
_LONGEST_NAME = 24


def card_figures(facts: dict[str, Any]) -> dict[str, str]:
    """Return the figures of `card_facts` by name: ``svg`` elements with a text alternative.

    All that comes from the data is escaped.
    """
    figures = {
        "reliability": (3.6, _reliability),
        "shares": (0.9 + 0.75 * len(facts["shown"]), _shares),
        "slices": (0.9 + 0.24 * sum(len(found) + 1 for found in facts["slices"].values()), _slices),
        "importance": (0.9 + 0.26 * len(facts["importance"]["groups"]), _importance),
    }
    words: Any = environment().get_template("figures.txt").make_module(facts)
    return {
        name: _figure(name, str(getattr(words, f"{name}_in_words")()), height, draw, facts)
        for name, (height, draw) in figures.items()
    }


def _figure(
    name: str, alternative: str, height: float, draw: Callable[[Axes, dict[str, Any]], None], facts: dict[str, Any]
) -> str:
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(), warnings.catch_warnings():
        rcdefaults()  # a style that the user has chosen for figures of their own is no part of the card
        rcParams.update(_STYLE)
        # the reader's browser has the glyphs that the font at hand lacks
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot(), facts)
        file = io.StringIO()
        figure.savefig(
            file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _inline(file.getvalue(), name, alternative)


def _inline(svg: str, name: str, alternative: str) -> str:
    """Return an SVG document as an element of a page: with names of its own, and text for those who cannot see it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style.*?</style>", "", svg, flags=re.DOTALL)
    used = set(re.findall(r"#([\w.-]+)", svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
    size = re.search(r'viewBox="[^"]*"', svg)
    box = size[0] if size else ""
    body = svg[svg.index(">") + 1 :]
    label = f'role="img" aria-label="{escape(alternative)}"'
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {namespaces} {box} {label} stroke-linejoin="round">{body.strip()}'


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _reliability(axes: Axes, facts: dict[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--", label="as often as stated")
    for key, colour, shape in (("before", _ORANGE, "s"), ("after", _BLUE, "o")):
        bins = facts["calibration"][key]
        confidence, accuracy = [found["confidence"] for found in bins], [found["accuracy"] for found in bins]
        most = max(found["messages"] for found in bins)
        axes.plot(confidence, accuracy, color=colour, linewidth=1.2)
        axes.scatter(
            confidence,
            accuracy,
            s=[15 + 150 * found["messages"] / most for found in bins],
            color=colour,
            marker=shape,
            alpha=0.85,
            linewidths=0,
        )
        error = facts["calibration"][f"ece_{key}"]
        axes.plot([], [], color=colour, marker=shape, label=f"{key} calibration (error {error:.3f})")
    axes.set(xlabel="stated probability of the most probable class", ylabel="share that is right", ylim=(0, 1.05))
    least = min(found["confidence"] for key in ("before", "after") for found in facts["calibration"][key])
    axes.set_xlim(max(least - 0.05, 0), 1.03)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="upper left")


def _shares(axes: Axes, facts: dict[str, Any]) -> None:
    data, shown = facts["data"], facts["shown"]
    names = [facts["classes"][index] for index in shown]
    kinds = (
        ("training", data["train"]["shares"], "#cbd2d9"),
        ("hold-out, true", data["holdout"]["shares"], _GREEN),
        ("hold-out, predicted", data["predicted_shares"], _BLUE),
    )
    for number, (label, all_shares, colour) in enumerate(kinds):
        shares = [all_shares[index] for index in shown]
        places = [index + (number - 1) * 0.26 for index in range(len(names))]
        axes.barh(places, shares, 0.24, color=colour, label=label)
        for place, share in zip(places, shares, strict=True):
            axes.text(share + 0.008, place, f"{share:.1%}", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.invert_yaxis()
    axes.set(xlabel="share of the messages", xlim=(0, 1.12 * max(max(shares) for _, shares, _ in kinds)))
    axes.tick_params(axis="y", length=0)
    axes.legend(
        frameon=False, loc="lower center", bbox_to_anchor=(0.42, 1), ncols=3, columnspacing=0.9, handlelength=1.2
    )


def _slices(axes: Axes, facts: dict[str, Any]) -> None:
    overall = facts["quality"]["f1_macro"]
    axes.axvspan(overall["low"], overall["high"], color=_BLUE, alpha=0.12, linewidth=0)
    axes.axvline(overall["value"], color=_BLUE, linewidth=1, label=f"all messages: {overall['value']:.3f}")
    names, place = {}, 0
    for way, slices in facts["slices"].items():
        names[place] = f"by {_short(way)}"
        for found in slices:
            place += 1
            names[place] = f"{_short(found['name'])}  ({found['messages']:,})"
            f1, colour = found["f1_macro"], _GREY if found["small"] else "#1f2933"
            if not found["small"]:
                axes.plot([f1["low"], f1["high"]], [place, place], color=colour, linewidth=1.6)
            axes.plot(f1["value"], place, marker="D" if found["small"] else "o", color=colour, markersize=5)
        place += 1
    axes.set_yticks(list(names), list(names.values()))
    for label, text in zip(axes.get_yticklabels(), names.values(), strict=True):
        if text.startswith("by "):
            label.set_fontweight("bold")
    axes.set(xlabel="macro F1 with 95% interval", ylim=(place - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.25)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1))


def _importance(axes: Axes, facts: dict[str, Any]) -> None:
    groups = facts["importance"]["groups"]
    places, drops = range(len(groups)), [group["drop"] for group in groups]
    axes.barh(places, drops, 0.7, color=[_BLUE if group["least"] > 0 else "#cbd2d9" for group in groups])
    axes.hlines(places, [group["least"] for group in groups], [group["greatest"] for group in groups], color="#1f2933")
    labels = [_short(group["name"]) + (f"  ({group['columns']})" if group["columns"] > 1 else "") for group in groups]
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.axvline(0, color=_GREY, linewidth=0.8)
    axes.set_xlabel("fall of macro F1")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.25)
