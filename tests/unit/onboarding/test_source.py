from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tickets import tickets

from batch_nlp.errors import DataError
from batch_nlp.onboarding.choices import Asked
from batch_nlp.onboarding.source import Source, look_at

Rows = list[dict[str, Any]]
MESSAGES = tickets(60, shop=lambda number, _: f"s{number % 4}")
SHOPS = [{"shop": f"s{number}", "about": f"a street full of shops, house {number}"} for number in range(9)]
PRICES = [{"product": f"no {number}", "price": number, "maker": "one of many makers"} for number in range(9)]


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Source]:
    """Return a function that writes files of rows and looks at their folder."""

    def at(**files: Rows) -> Source:
        for name, rows in files.items():
            (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return look_at(tmp_path, Asked())

    return at


def test_a_table_whose_keys_the_messages_have_is_a_side_table(look: Callable[..., Source]) -> None:
    found = look(tickets_1=MESSAGES, tickets_2=MESSAGES, shops=SHOPS)
    [table] = found.side_tables
    assert (found.pattern, len(found.rows)) == ("*", 120)
    assert (table.name, table.files, table.key, table.column) == ("shop", "shops", "shop", "shop")
    assert [column.name for column in table.columns] == ["about"]
    assert found.problems == ["shops joins the messages by shop; none of its columns is read yet"]


def test_a_table_of_something_else_is_left_out_by_the_pattern(look: Callable[..., Source]) -> None:
    found = look(tickets_1=MESSAGES, tickets_2=MESSAGES, prices=PRICES)
    assert (found.pattern, found.rows, found.side_tables) == ("tickets_*", MESSAGES * 2, [])
    assert found.problems == ["1 file(s) hold no messages and are not read: prices.jsonl"]


def test_tables_that_no_pattern_parts_are_named_and_what_to_do(look: Callable[..., Source], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be told apart by their names. Move .* init\.file=FILE"):
        look(a=MESSAGES, b=PRICES, ac=MESSAGES, abc=MESSAGES, acc=PRICES)
    assert look_at(tmp_path / "a.jsonl", Asked()).rows == MESSAGES


def test_messages_of_another_layout_and_labels_alone_are_no_other_table(look: Callable[..., Source]) -> None:
    other = [{"text": row["q"], "v": row["w"]} for row in MESSAGES]
    labels = [{"shop": row["shop"], "w": row["w"]} for row in MESSAGES]
    found = look(a=MESSAGES, b=other, labels=labels)
    assert (found.pattern, len(found.rows), found.problems) == ("*", 180, [])


@pytest.mark.parametrize(
    ("content", "under"),
    [
        ("\n".join(json.dumps({"_id": str(n), "_source": row}) for n, row in enumerate(MESSAGES)), "_source"),
        (json.dumps({"total": 60, "items": MESSAGES}), "items"),
        (json.dumps({"total": 60, "items": MESSAGES}, indent=1), "items"),
        ("\n".join(json.dumps({**row, "by": {"name": "a name of two"}}) for row in MESSAGES), None),
    ],
)
def test_rows_below_a_field_are_found(content: str, under: str | None, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(content)
    found = look_at(file, Asked())
    assert (found.under, len(found.rows), found.problems) == (under, 60, [])
    assert found.rows[0]["q"] == MESSAGES[0]["q"]
