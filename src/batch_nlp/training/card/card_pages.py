"""The model card as a page with charts, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from batch_nlp.reports.charts import DATA, SECOND, SOFT, THIRD, TRACK, WIDTH, draw_chart, short
from batch_nlp.reports.interval_rows import IntervalRow, interval_rows
from batch_nlp.reports.pages import render
from batch_nlp.training.card.statements import card_headline, limits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CARD_FILE, CARD_PAGE = "model_card.md", "model_card.html"


def card_pages(facts: dict[str, Any]) -> dict[str, str]:
    """Return the card of `card_facts` by file name: in Markdown, and as a page without scripts or network.

    Names of classes, groups and words are data, so they are escaped.
    """
    values = {**facts, "summary": card_headline(facts), "limits": limits(facts)}
    page = render(CARD_PAGE, **values, headline=" ".join(values["summary"]), charts=card_charts(facts))
    return {CARD_FILE: render(CARD_FILE, **values), CARD_PAGE: page}


def card_charts(facts: dict[str, Any]) -> dict[str, Markup]:
    """Return the charts of `card_facts` by name."""
    charts = {"reliability": _reliability(facts), "shares": _shares(facts), "importance": _importance(facts)}
    return charts | ({"slices": _slices(facts)} if facts["slices"] else {})


def _reliability(facts: dict[str, Any]) -> Markup:
    calibration = facts["calibration"]

    def on(figure: Figure) -> None:
        figure.set_layout_engine("constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--", label="as often as stated")
        for key, colour, shape in (("before", SECOND, "s"), ("after", DATA, "o")):
            bins = calibration[key]
            stated, right = [found["confidence"] for found in bins], [found["accuracy"] for found in bins]
            most = max(found["messages"] for found in bins)
            sizes = [20 + 110 * found["messages"] / most for found in bins]
            axes.plot(stated, right, color=colour, linewidth=1.5)
            axes.scatter(stated, right, s=sizes, color=colour, marker=shape, alpha=0.85, linewidths=0)
            name = f"{key} calibration (error {calibration[f'ece_{key}']:.3f})"
            axes.plot([], [], color=colour, marker=shape, label=name)
        least = min(found["confidence"] for key in ("before", "after") for found in calibration[key])
        axes.set(xlim=(max(least - 0.05, 0), 1.03), ylim=(0, 1.05))
        axes.set(xlabel="stated probability of the most probable class", ylabel="share that is right")
        axes.grid()
        # above the axes, where it covers no curve
        figure.legend(loc="outside upper left")

    listed = "; ".join(
        f"{found['messages']:,} messages with stated {found['confidence']:.2f}: {found['accuracy']:.2f} right"
        for found in calibration["after"]
    )
    return draw_chart("reliability", (WIDTH, 360), f"Reliability after calibration. {listed}.", on)


def _shares(facts: dict[str, Any]) -> Markup:
    data, names = facts["data"], [facts["classes"][index] for index in facts["shown"]]
    kinds = {
        "training": (data["train"]["shares"], TRACK),
        "hold-out, true": (data["holdout"]["shares"], THIRD),
        "hold-out, predicted": (data["predicted_shares"], DATA),
    }
    shares = {kind: [of_all[index] for index in facts["shown"]] for kind, (of_all, _) in kinds.items()}

    def on(figure: Figure) -> None:
        figure.set_layout_engine("constrained")
        axes = figure.add_subplot()
        for number, (kind, (_, colour)) in enumerate(kinds.items()):
            places = [place + 0.24 * (number - 1) for place in range(len(names))]
            axes.barh(places, shares[kind], 0.22, color=colour, label=kind)
            for place, share in zip(places, shares[kind], strict=True):
                axes.annotate(f"{share:.1%}", (share, place), (4, 0), textcoords="offset points", va="center",
                              fontsize=11)  # fmt: skip
        for place, name in enumerate(names):
            axes.text(0, place - 0.46, short(name, 45), va="center")
        axes.set(ylim=(len(names) - 0.6, -0.6), yticks=[], xlim=(0, 1.18 * max(map(max, shares.values()))))
        axes.xaxis.set_major_formatter("{x:.0%}")
        figure.legend(loc="outside upper left", ncols=3, columnspacing=1, handlelength=1)

    listed = " ".join(
        f"{name}: {shares['training'][place]:.1%} in training, {shares['hold-out, true'][place]:.1%} in the hold-out, "
        f"{shares['hold-out, predicted'][place]:.1%} predicted."
        for place, name in enumerate(names)
    )
    return draw_chart("shares", (WIDTH, 60 + 74 * len(names)), f"Shares of the classes. {listed}", on)


def _slices(facts: dict[str, Any]) -> Markup:
    rows = []
    for by, slices in facts["slices"].items():
        rows.append(IntervalRow(f"by {by}"))
        for found in slices:
            bounds = found["f1_macro"]
            colour = SOFT if found["small"] else DATA
            label = f"{short(found['name'], 20)} ({found['messages']:,})"
            rows.append(IntervalRow(label, bounds["value"], bounds["low"], bounds["high"], colour))
    overall = facts["quality"]["f1_macro"]
    words = "Macro F1 of each slice. " + "; ".join(f"{row.label}: {row.figures}" for row in rows if row.figures)
    return interval_rows("slices", rows, "macro F1", words, IntervalRow("all messages", **overall))


def _importance(facts: dict[str, Any]) -> Markup:
    groups = facts["importance"]["groups"]
    rows = [
        IntervalRow(
            short(group["name"]) + (f" ({group['columns']})" if group["columns"] > 1 else ""),
            group["drop"],
            group["least"],
            group["greatest"],
            DATA if group["least"] > 0 else SOFT,
        )
        for group in groups
    ]
    listed = ", ".join(f"{row.label}: {row.figures}" for row in rows)
    return interval_rows("importance", rows, "fall of macro F1", f"Fall of macro F1 by group. {listed}.")
