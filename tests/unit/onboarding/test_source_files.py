from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.naming import assert_names, refusal
from tests.tickets import tickets

from batch_nlp.errors import DataError
from batch_nlp.onboarding.proposal import GivenColumns
from batch_nlp.onboarding.source_files import Source, read_source
from batch_nlp.storage.raw.file_names import find_files

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
        return read_source(tmp_path, GivenColumns())

    return at


def test_a_table_whose_keys_the_messages_have_is_a_side_table(look: Callable[..., Source]) -> None:
    found = look(tickets_1=MESSAGES, tickets_2=MESSAGES, shops=SHOPS)
    [table] = found.side_tables
    assert (found.pattern, len(found.rows)) == ("*", 120)
    assert (table.name, table.files, table.key, table.column) == ("shop", "shops", "shop", "shop")
    assert [column.name for column in table.columns] == ["about"]
    [told] = found.problems
    assert_names(told, "shops", "shop")


def test_a_table_of_something_else_is_left_out_by_the_pattern(look: Callable[..., Source]) -> None:
    found = look(tickets_1=MESSAGES, tickets_2=MESSAGES, prices=PRICES)
    assert (found.pattern, found.rows, found.side_tables) == ("tickets_*", MESSAGES * 2, [])
    [told] = found.problems
    assert_names(told, 1, "prices.jsonl")


def test_tables_that_no_pattern_parts_are_named_and_what_to_do(look: Callable[..., Source], tmp_path: Path) -> None:
    with refusal(DataError, tmp_path, "b.jsonl", "acc.jsonl", "init.file=FILE"):
        look(a=MESSAGES, b=PRICES, ac=MESSAGES, abc=MESSAGES, acc=PRICES)
    assert read_source(tmp_path / "a.jsonl", GivenColumns()).rows == MESSAGES


@pytest.mark.parametrize(
    ("name", "later", "pattern"),
    [
        ("feedback", "feedback (1)", "feedback*"),
        ("tweets_2024-01-31", "tweets_2025-02-01", "tweets_[0-9]*"),
        ("20240131", "20250201_b", "[0-9]*"),
        ("day 7, part 03 [x]", "day 8, part 11 [x]", "day [0-9]*, part [0-9]* [[]x]*"),
    ],
)
def test_a_later_file_of_its_form_fits_the_pattern_of_one_file(
    name: str, later: str, pattern: str, tmp_path: Path
) -> None:
    file, other = tmp_path / f"{name}.jsonl", tmp_path / "codes.jsonl"
    for path, rows in ((file, MESSAGES), (other, PRICES)):
        path.write_text("\n".join(map(json.dumps, rows)))
    found = read_source(file, GivenColumns())
    assert (found.pattern, found.rows) == (pattern, MESSAGES)
    assert_names(found.notes["folder"], 1, "codes.jsonl")
    (tmp_path / f"{later}.jsonl").write_text(file.read_text())
    assert {path.stem for path in find_files(tmp_path, found.pattern)} == {name, later}
    # and where it lies there from the start, it is not what was asked for
    found = read_source(file, GivenColumns())
    assert [path.stem for path in find_files(tmp_path, found.pattern)] == [name]
    assert_names(found.notes["pattern"], 1, f"{later}.jsonl")


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
    found = read_source(file, GivenColumns())
    assert (found.under, len(found.rows)) == (under, 60)
    [told] = found.problems[1:]
    assert_names(told, "raw_dir")
    assert found.rows[0]["q"] == MESSAGES[0]["q"]


def test_files_of_two_encodings_are_told_where_one_cannot_be_read_and_saved_alike_they_are(tmp_path: Path) -> None:
    content = "text\n" + "".join(f'"für {row["q"]}"\n' for row in MESSAGES)
    (tmp_path / "a.csv").write_text(content, "cp1252")
    (tmp_path / "b.csv").write_text(content, "utf-8")
    with refusal(DataError, "a.csv", "cp1252", "b.csv", "UTF-8"):
        read_source(tmp_path, GivenColumns())
    (tmp_path / "a.csv").write_text(content, "utf-8")
    assert len(read_source(tmp_path, GivenColumns()).rows) == 120


def csv_of(header: str, rows: Rows) -> str:
    return f"{header}\n" + "".join(f'"{row["q"]}",{row["w"]}\n' for row in rows)


def test_a_message_in_the_place_of_the_header_is_refused_and_a_header_that_says_so_is_none(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(csv_of("late again,b", MESSAGES))
    with refusal(DataError, file, "1 of 2 cells", "init.text=COLUMN") as told:
        read_source(file, GivenColumns())
    assert "late again" not in str(told.value)
    assert len(read_source(file, GivenColumns(text=["late again"])).rows) == 60
    file.write_text("comment,kind\n" + file.read_text())
    assert len(read_source(file, GivenColumns()).rows) == 61
    # a class can be called like its column
    file.write_text(csv_of("commentText,b", MESSAGES))
    assert len(read_source(file, GivenColumns()).rows) == 60


def test_a_header_in_the_middle_of_a_file_is_no_message_and_a_message_in_its_place_still_refused(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(csv_of("text,w", MESSAGES) * 2)
    found = read_source(file, GivenColumns())
    told = "1 row(s) cannot be read: a.csv:62: the header again, as in files that were joined"
    assert (len(found.rows), found.problems[0]) == (120, told)
    file.write_text("n1,My secret,5\n" * 2 + "n2,Another secret,4\n")
    with refusal(DataError, file, "3 of 3 cells", "init.text=COLUMN"):
        read_source(file, GivenColumns())


def test_a_file_of_a_header_alone_is_told_as_one_without_rows(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("q,w\n")
    with refusal(DataError, tmp_path):
        read_source(file, GivenColumns())


@pytest.mark.parametrize("mark", ["^", "~", "\x01", "\xa6", ":"])
def test_a_separator_that_the_reader_does_not_know_is_found(mark: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = [["n", "q", "w"], *([str(n), row["q"], row["w"]] for n, row in enumerate(MESSAGES))]
    file.write_text("".join(f"{mark.join(row)}\n" for row in rows))
    found = read_source(file, GivenColumns())
    assert (found.separator, found.rows[0]) == (mark, {"n": "0", **{key: MESSAGES[0][key] for key in "qw"}})


@pytest.mark.parametrize("name", ["What is: your review?", "Wie war's? (Bitte antworten)", "a^b^c"])
def test_a_name_with_odd_characters_makes_no_separator(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{name}\n" + "".join(f'"{row["q"]}"\n' for row in MESSAGES))
    found = read_source(file, GivenColumns())
    assert (found.separator, list(found.rows[0])) == (None, [name])


@pytest.mark.parametrize("form", [{}, {"orient": "split"}, {"orient": "list"}])
def test_a_table_that_is_written_by_columns_is_refused_and_as_advised_it_is_read(
    form: dict[str, Any], tmp_path: Path
) -> None:
    table, file = pd.DataFrame(MESSAGES), tmp_path / "a.json"
    file.write_text(json.dumps(table.to_dict("list")) if form.get("orient") == "list" else table.to_json(**form))
    with refusal(DataError, file) as refused:
        read_source(file, GivenColumns())
    [advice] = re.findall(r"to_json\(\.\.\., (.*)\)\.", str(refused.value))
    assert advice == 'orient="records", lines=True'
    table.to_json(file, orient="records", lines=True)
    assert read_source(file, GivenColumns()).rows == MESSAGES


def test_what_to_do_with_files_of_other_kinds_is_said_and_works(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tickets.xlsx", "w") as packed:
        packed.writestr("tickets.jsonl", "\n".join(map(json.dumps, MESSAGES)))
    for path in (folder, folder / "tickets.xlsx"):
        with refusal(DataError, "tickets.xlsx", "zip"):
            read_source(path, GivenColumns())
    with zipfile.ZipFile(folder / "tickets.xlsx") as packed:
        packed.extractall(folder / "help")
    with refusal(DataError, folder, "help", "init.file=") as told:
        read_source(folder, GivenColumns())
    assert read_source(Path(str(told.value).partition("init.file=")[2][:-1]), GivenColumns()).rows == MESSAGES
    table = tmp_path / "tickets.txt"
    table.write_text(pd.DataFrame(MESSAGES).to_csv(sep="\t", index=False), encoding="utf-16")
    with refusal(DataError, table, ".csv"):
        read_source(table, GivenColumns())
    assert len(read_source(table.rename(tmp_path / "tickets.csv"), GivenColumns()).rows) == len(MESSAGES)
