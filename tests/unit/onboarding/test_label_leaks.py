from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.naming import assert_names
from tests.settings import default
from tests.tickets import tickets

from batch_nlp.config import Config
from batch_nlp.onboarding.column_profiles import profiles
from batch_nlp.onboarding.data_warnings import data_warnings
from batch_nlp.onboarding.dataset_yaml import render_dataset
from batch_nlp.onboarding.proposal import GivenColumns, Proposal, propose
from batch_nlp.onboarding.source_files import Source


def chosen(rows: list[dict[str, Any]]) -> Proposal:
    return propose(profiles(rows), GivenColumns(label=["w"], id=[]), "mine.csv", default(Config))


def together(rows: list[dict[str, Any]]) -> list[str]:
    return [column.name for column in chosen(rows).leaks_together]


def votes(number: int, bad: bool) -> tuple[int, int]:
    """Return how many of three to seven people say that a message is bad, and how many that it is not."""
    people = 3 + 2 * (number % 3)
    most = people // 2 + 1 + number % 2
    return (most, people - most) if bad else (people - most, most)


def test_a_column_that_gives_the_label_away_is_found() -> None:
    rows = tickets(
        reason=lambda number, bad: ["late", "lost"][number % 2] if bad else None,
        place=lambda number, _: ["north", "south"][number % 2],
    )
    assert [column.name for column in chosen(rows).leaks] == ["reason"]


def test_columns_that_decide_the_label_together_are_found_with_those_that_can_stand_in() -> None:
    rows = tickets(
        240,
        people=lambda number, bad: sum(votes(number, bad)),
        bad=lambda number, bad: votes(number, bad)[0],
        good=lambda number, bad: votes(number, bad)[1],
        length=lambda number, _: number % 17,
    )
    found = chosen(rows)
    assert (found.leaks, together(rows)) == ([], ["people", "bad", "good"])
    [sentence] = data_warnings(found)
    assert_names(sentence, "people, bad, good")
    written = render_dataset("mine", Source(Path("in"), "*", []), found, "mine.csv")
    assert "\nforbidden: [people, bad, good]\n" in written
    assert "# length: {role: number}" in written


def test_categories_and_numbers_that_are_all_different_count_too() -> None:
    pairs = tickets(
        left=lambda number, bad: "x" if bad else "xyy"[number % 3],
        right=lambda number, bad: "x" if bad else "yxy"[number % 3],
        noise=lambda n, _: n,
    )
    assert together(pairs) == ["left", "right"]
    # a file that is sorted by its label, and a number that no tree can hold
    rows = sorted(tickets(), key=lambda row: row["w"])
    assert together([{**row, "row": 1e300 + number * 1e290} for number, row in enumerate(rows)]) == ["row"]


@pytest.mark.parametrize("share", [0.0, 0.8, 0.9])
def test_what_goes_with_the_label_and_does_not_tell_it_is_no_leak(share: float) -> None:
    draw = random.Random(0)
    columns = {
        f"x{n}": lambda _, bad: draw.gauss(0, 1) if draw.random() > share else draw.gauss(bad, 0.1) for n in range(2)
    }
    assert together(tickets(600, **columns)) == []
    # too few to say
    assert together(tickets(40, x=lambda _, bad: draw.random() + bad)) == []
