from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.naming import refusal
from tests.settings import default
from tests.tickets import tickets

from batch_nlp.config import Config
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.onboarding.column_profiles import profiles
from batch_nlp.onboarding.proposal import GivenColumns, Proposal, propose


def chosen(rows: list[dict[str, Any]], **asked: list[str]) -> Proposal:
    return propose(profiles(rows), GivenColumns(**asked), "mine.csv", default(Config))


def names(proposal: Proposal) -> tuple[list[str], list[list[str]], list[str], list[str]]:
    return (
        [column.name for column in proposal.texts],
        proposal.levels,
        [column.name for column in proposal.times],
        [column.name for column in proposal.ids],
    )


def test_columns_without_a_telling_name_are_known_by_their_values() -> None:
    rows = tickets(
        x=lambda number, _: f"2022-{1 + number % 12:02}-{1 + number % 28:02}",
        y=lambda number, _: f"T-2022-{number:05}",
        noise=lambda number, _: "even" if number % 2 else "odd",
    )
    assert names(chosen(rows)) == (["q"], [["w"]], ["x"], ["y"])


@pytest.mark.parametrize(
    "name",
    ["Vorgangsnr.", "Ticketnummer", "Ticket-Nr", "Fallnummer", "case no", "order number", "OrderNo", "Número de caso",
     "Nº pedido", "Nro. de ticket", "N° de dossier", "num_commande", "Zaaknummer", "numero ordine", "ticket_id"],
)  # fmt: skip
@pytest.mark.parametrize("write", [lambda n, _: 701 * n % 1009, lambda n, _: f"A-{701 * n % 1009}"])
def test_a_number_that_each_message_has_is_an_id_by_its_name(name: str, write: Callable[[int, bool], object]) -> None:
    assert names(chosen(tickets(**{name: write})))[3] == [name]


@pytest.mark.parametrize("name", ["phone number", "Kundennr.", "lfd. Nr.", "no of items", "casino", "amount"])
def test_another_number_is_no_id(name: str) -> None:
    assert names(chosen(tickets(**{name: lambda n, _: 701 * n % 1009})))[3] == []


def test_names_decide_between_columns_that_could_be_the_label() -> None:
    rows = tickets(rating=lambda number, _: 1 + number % 5)
    assert names(chosen(rows))[1] == [["rating"]]


def test_what_is_said_counts() -> None:
    rows = tickets(title=lambda number, _: f"Hello {number}", rating=lambda number, _: 1 + number % 5)
    assert names(chosen(rows))[0] == ["q", "title"]
    found = chosen(rows, text=["q"], label=["w", "rating"], time=[], id=[])
    assert names(found) == (["q"], [["w"], ["rating"]], [], [])
    assert found.classes["b / 1"] == 24
    assert names(chosen(rows, label=[]))[1] == []
    with refusal(SettingsError, "init.label=ratin", "rating"):
        chosen(rows, label=["ratin"])


def test_columns_of_two_layouts_stand_side_by_side() -> None:
    one = tickets()
    other = [{"text": row["q"] + " again", "v": row["w"]} for row in one]
    assert names(chosen(one + other)) == (["q", "text"], [["w", "v"]], [], [])


def test_what_the_text_names_is_no_label_of_it() -> None:
    rows = tickets(brand=lambda number, _: ["acme", "wolf"][number % 2])
    for row in rows:
        row["q"] += f" {row['brand']}"
        del row["w"]
    assert names(chosen(rows))[1] == []


def test_repeats_and_equal_times_are_counted() -> None:
    rows = [*tickets(50), *tickets(50)]
    assert chosen(rows, time=[]).repeated == pytest.approx(0.5)
    rows = tickets(100, day=lambda number, _: "2022-01-01" if number < 70 else f"2022-02-{number % 28 + 1:02}")
    assert chosen(rows).equal_times == pytest.approx(0.7)


def test_what_repeats_with_its_message_is_an_id_and_one_message() -> None:
    rows = tickets(100, n=lambda number, _: f"{number:08}")
    found = chosen([*rows, *rows[:5]])
    assert (names(found)[3], found.classes.total()) == (["n"], 100)
    # without an id, equal texts are one message
    assert chosen([{"q": row["q"], "w": row["w"]} for row in [*rows, *rows]]).classes.total() == 100
    # of one customer are several messages
    assert names(chosen(tickets(100, id=lambda number, _: number // 2)))[3] == []


def test_short_texts_tell_their_language_together() -> None:
    texts = ["bagus sekali", "tidak bisa dibuka", "tolong diperbaiki", "aplikasi lambat", "sangat membantu"]
    found = chosen([{"text": f"{text} {number}"} for number in range(20) for text in texts])
    assert list(found.languages) == ["id"]


def test_names_that_settings_cannot_hold_are_no_columns() -> None:
    rows = tickets(_target_=lambda number, _: number, source_file=lambda *_: "a", **{"x" * 300: lambda *_: "b"})
    assert [column.name for column in profiles(rows)] == ["q", "w"]


@pytest.mark.parametrize(
    "address",
    [
        "http://play.google.com/console/developers/app/user-feedback/review-details?reviewId=gp:{n}&tab=1",
        "www.example.org/reviews/{n}",
        "someone.{n}@example.org",
        "/srv/exports/reviews of 2024/{n}.txt",
        "C:\\My reviews\\{n}.txt",
        "reviews/2024/{n}.json",
    ],
)
def test_addresses_alone_are_no_texts_whatever_they_are_called(address: str) -> None:
    rows = tickets(**{"Review Link": lambda n, _: address.format(n=n)})
    assert names(chosen(rows))[0] == ["q"]
    with refusal(DataError, "Review Link, w"):
        chosen([{"Review Link": row["Review Link"], "w": row["w"]} for row in rows])
    # words beside them make a text
    assert names(chosen([{"review": f"See {row['Review Link']}"} for row in rows]))[0] == ["review"]


def test_a_reply_is_the_text_only_where_there_is_no_other() -> None:
    answer = "Hi there, thank you for taking the time to write a review; our support is looking into number"
    rows = tickets(**{"Developer Reply Text": lambda n, _: f"{answer} {n}" if n % 4 == 0 else None})
    assert names(chosen(rows))[0] == ["q"]
    assert names(chosen([{key: row[key] for key in row if key != "q"} for row in rows]))[0] == ["Developer Reply Text"]


def test_there_is_a_text() -> None:
    with refusal(SettingsError, "init.text=none", "q, w"):
        chosen(tickets(), text=[])


def test_without_a_text_the_columns_are_named_and_what_to_say() -> None:
    with refusal(DataError, "mine.csv", "a, b", "init.text=COLUMN"):
        propose(profiles([{"a": 1, "b": 2}] * 5), GivenColumns(), "mine.csv", default(Config))


def test_texts_without_a_word_tell_no_label() -> None:
    rows = [{"text": "😀 🎉 👍" if n % 2 else "😡 👎", "v": "ab"[n % 2], "w": "cd"[n % 2]} for n in range(60)]
    assert names(chosen(rows))[:2] == (["text"], [])
    # but for some of them, those with words do
    more = [{**row, "v": row["w"] + "1", "text": f"{row['q']} {n}"} for n, row in enumerate(tickets(60))]
    assert names(chosen([*rows, *more], time=[], id=[]))[1] != []


@pytest.mark.parametrize(
    ("bad", "good", "is_label"),
    [("1.0", "3.0", True), (1.0, 3.0, True), ("1.00", "-1.00", True), (True, False, True), ("1.5", "3.5", False)],
)
def test_of_numbers_whole_ones_and_truth_are_a_label(bad: object, good: object, is_label: bool) -> None:
    rows = [{"q": row["q"], "v": bad if row["w"] == "b" else good} for row in tickets()]
    assert names(chosen(rows))[1] == ([["v"]] if is_label else [])


def test_a_comma_can_be_in_a_name() -> None:
    rows = [{"q, all": row["q"], "Type (x): a,b": row["w"], "x": n % 2} for n, row in enumerate(tickets())]
    found = chosen(rows, text=["q", " all"], label=["Type (x): a", "b"], time=[], id=[])
    assert names(found) == (["q, all"], [["Type (x): a,b"]], [], [])
    with refusal(SettingsError, "'init.label=[\"a, b\",c]'"):
        chosen(rows, label=["x", "Type (x): a", "b"])
    assert names(chosen(rows, label=["x", "Type (x): a,b"]))[1] == [["x"], ["Type (x): a,b"]]
