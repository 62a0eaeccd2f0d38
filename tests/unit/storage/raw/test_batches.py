from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.naming import assert_names, names, refusal

from batch_nlp.errors import DataError, ExitCode
from batch_nlp.storage.raw.batches import read_batches
from batch_nlp.storage.raw.file_names import find_files
from batch_nlp.storage.raw.lines import BrokenRow

REQUIRED, OPTIONAL = ("review_id", "text"), ("stars",)
ROWS = [
    {"review_id": "a", "text": "fine", "stars": 5.0},
    {"review_id": "b", "text": 'so "so",\nreally', "stars": 3.0},
    {"review_id": "c", "text": "schlecht 😡 \u05d7\u05e8\u05d0", "stars": 1.0},
]
JSON_LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def read(
    *files: Path, batch_rows: int = 100, ignored: Sequence[str] | None = None
) -> tuple[list[dict[str, Any]], list[BrokenRow]]:
    """Return all rows (without their source) and all broken lines."""
    batches = list(read_batches(files, REQUIRED, OPTIONAL, batch_rows, ignored))
    rows = [row for batch in batches for row in batch.rows[[*REQUIRED, *OPTIONAL]].to_dict("records")]
    return rows, [broken for batch in batches for _, broken in batch.broken]


def as_csv() -> bytes:
    return pd.DataFrame(ROWS).to_csv(index=False).encode()


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


WRITERS: dict[str, Callable[[Path], object]] = {
    ".json": lambda path: path.write_bytes(JSON_LINES),
    ".jsonl": lambda path: path.write_bytes(JSON_LINES),
    ".json.gz": lambda path: path.write_bytes(gzip.compress(JSON_LINES)),
    ".jsonl.gz": lambda path: path.write_bytes(gzip.compress(JSON_LINES)),
    ".csv": lambda path: path.write_bytes(as_csv()),
    ".csv.gz": lambda path: path.write_bytes(gzip.compress(as_csv())),
    ".parquet": write_parquet,
}


@pytest.mark.parametrize("ending", WRITERS)
def test_every_format_gives_the_same_rows(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"review{ending}"
    WRITERS[ending](file)
    rows, broken = read(file)
    assert broken == []
    assert [{**row, "stars": float(row["stars"])} for row in rows] == ROWS


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("batch_rows", [1, 2, 3, 100])
def test_the_size_of_a_batch_changes_no_row(tmp_path: Path, ending: str, batch_rows: int) -> None:
    file = tmp_path / f"review{ending}"
    WRITERS[ending](file)
    batches = list(read_batches([file], REQUIRED, OPTIONAL, batch_rows))
    assert [len(batch.rows) for batch in batches] == [batch_rows] * (3 // batch_rows) + [3 % batch_rows] * (
        3 % batch_rows > 0
    )
    assert [text for batch in batches for text in batch.rows["text"]] == [row["text"] for row in ROWS]


def test_each_row_knows_its_file_and_line(tmp_path: Path) -> None:
    first, second = tmp_path / "review-1.json", tmp_path / "review-2.csv"
    first.write_bytes(b'\n{"review_id": "a", "text": "x"}\n\n{"review_id": "b", "text": "y"}')
    second.write_bytes(b'review_id,text\n\nc,"two\nlines"\nd,z\n')
    rows = pd.concat([batch.rows for batch in read_batches([first, second], REQUIRED, OPTIONAL, 10)])
    assert rows[["review_id", "source_file", "source_line"]].to_numpy().tolist() == [
        ["a", "review-1.json", 2],
        ["b", "review-1.json", 4],
        ["c", "review-2.csv", 4],  # the last line of the record
        ["d", "review-2.csv", 5],
    ]


def test_small_files_share_batches_and_rows_and_broken_lines_keep_their_places(tmp_path: Path) -> None:
    files = [tmp_path / f"review-{number}.json" for number in range(5)]
    for number, file in enumerate(files):
        file.write_text(f'{{"review_id": "{number}", "text": "x"}}\n{{"review_id": \n')
    batches = list(read_batches(files, REQUIRED, OPTIONAL, 4))
    assert [(len(batch.rows), len(batch.broken), len(batch.whole)) for batch in batches] == [(2, 2, 2)] * 2 + [
        (1, 1, 1)
    ]
    rows = pd.concat([batch.rows for batch in batches])[["review_id", "source_file", "source_line"]]
    assert rows.to_numpy().tolist() == [[str(number), f"review-{number}.json", 1] for number in range(5)]
    places = [(file, found.line) for batch in batches for file, found in batch.broken]
    assert places == [(file.name, 2) for file in files]


def test_parts_of_tables_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    parts = [tmp_path / day / "part-00000.json" for day in ("mon.jsonl", "tue.jsonl")]
    for part in parts:
        part.parent.mkdir()
        part.write_text('{"review_id": "a", "text": "x"}\n')
    [batch] = read_batches(parts, REQUIRED, OPTIONAL, 10)
    assert batch.rows["source_file"].tolist() == ["mon.jsonl/part-00000.json", "tue.jsonl/part-00000.json"]


@pytest.mark.parametrize("ending", [".json", ".csv"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_byte_order_marks_blank_lines_and_windows_line_ends_are_no_data(
    tmp_path: Path, ending: str, mark: bytes, line_end: bytes
) -> None:
    lines = (
        [b'{"review_id": "a", "text": "x"}', b"", b'{"review_id": "b", "text": "y"}']
        if ending == ".json"
        else [b'"review_id","text"', b'"a","x"', b"", b'"b",y']
    )
    file = tmp_path / f"review{ending}"
    file.write_bytes(mark + line_end.join([*lines, b"", b""]))
    rows, broken = read(file)
    assert broken == []
    assert [(row["review_id"], row["text"]) for row in rows] == [("a", "x"), ("b", "y")]


def test_a_line_break_in_a_csv_text_stays(tmp_path: Path) -> None:
    file = tmp_path / "review.csv"
    file.write_bytes(b'review_id,text\r\na,"one\r\ntwo"\r\n')
    assert read(file)[0][0]["text"] == "one\r\ntwo"


def test_an_empty_csv_cell_is_no_value(tmp_path: Path) -> None:
    file = tmp_path / "review.csv"
    file.write_bytes(b"review_id,text,stars\na,x,\n")
    assert read(file)[0] == [{"review_id": "a", "text": "x", "stars": None}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"review_id": "z", "text": "cut of', "JSON"),
        (b'{"review_id": "z", "text": "\xff\xfe"}', "UTF-8"),
        (b'{"review_id": "z", "text": "cut \xf0\x9f\x98', "UTF-8"),
        (b'["z", "text"]', "JSON"),
        (b"NaN", "JSON"),
        (b"{'review_id': 'z'}", "JSON"),
        (b'{"review_id": ' + b"[" * 200_000, "JSON"),
        (b"\x00\x00\x00", "JSON"),
    ],
)
def test_a_broken_json_line_is_told_with_its_number_and_the_rest_is_read(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    file = tmp_path / "review.json"
    file.write_bytes(JSON_LINES + line)
    rows, broken = read(file)
    assert [row["review_id"] for row in rows] == ["a", "b", "c"]
    assert [found.line for found in broken] == [4]
    assert_names(broken[0].reason, reason)
    assert broken[0].raw == line.decode("utf-8", "backslashreplace")
    broken[0].raw.encode()  # can be stored


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"z,only two", [2, 3]),
        (b"z,x,5,more", [4, 3]),
        (b"z,\xff\xfe,5", ["UTF-8"]),
        (b"z,\xed\xa0\x80,5", ["UTF-8"]),  # a lone surrogate, encoded
        (b'z,"cut off in the middle', ["CSV"]),
        (b'z,"a "quote" inside",5', ["CSV", "','", "'\"'"]),
    ],
)
def test_a_broken_csv_record_is_told_with_its_line_and_the_rest_is_read(
    tmp_path: Path, record: bytes, reason: list[object]
) -> None:
    file = tmp_path / "review.csv"
    file.write_bytes(b"review_id,text,stars\na,x,1\n" + record)
    rows, broken = read(file)
    assert [row["review_id"] for row in rows] == ["a"]
    assert [found.line for found in broken] == [3]
    assert_names(broken[0].reason, *reason)
    assert broken[0].raw.startswith("z,")
    broken[0].raw.encode()


def test_a_quote_that_the_next_cell_with_quotes_would_close_takes_no_other_line_with_it(tmp_path: Path) -> None:
    """Read as they stand, the last two lines are one record with the right number of cells."""
    file = tmp_path / "review.csv"
    file.write_bytes(b'review_id,text,stars\na,x,1\n"never closed\nb,",c",2\nd,"two\nlines, ""quoted""",3\n')
    rows, broken = read(file)
    assert [(row["review_id"], row["text"]) for row in rows] == [("a", "x"), ("b", ",c"), ("d", 'two\nlines, "quoted"')]
    assert [(found.line, found.reason.partition(":")[0]) for found in broken] == [(3, "broken CSV")]


def test_a_parquet_row_with_invalid_utf_8_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    offsets = pa.py_buffer(b"".join(end.to_bytes(4, "little") for end in (0, 4, 9, 13)))
    texts = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"finex\xffbadgood")])
    pq.write_table(pa.table({"review_id": ["a", "b", "c"], "text": texts}), tmp_path / "review.parquet")
    rows, broken = read(tmp_path / "review.parquet")
    assert [(row["review_id"], row["text"]) for row in rows] == [("a", "fine"), ("c", "good")]
    assert broken == [BrokenRow(2, "invalid UTF-8", "b,x\\xffbad")]


def test_lone_surrogates_become_replacement_characters_wherever_they_are(tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    file.write_bytes(
        b'{"review_id": "\\ud83d", "text": "broken \\ud83d emoji \\ud83d\\ude00", "stars": [{"\\udc00": "\\udfff"}]}'
    )
    rows, broken = read(file)
    assert broken == []
    assert rows == [{"review_id": "\ufffd", "text": "broken \ufffd emoji 😀", "stars": [{"\ufffd": "\ufffd"}]}]


def test_not_a_number_is_read_as_others_write_it(tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    file.write_bytes(b'{"review_id": "a", "text": "x", "stars": NaN}')
    assert pd.isna(read(file)[0][0]["stars"])


def test_typed_parquet_values_come_as_python_values(tmp_path: Path) -> None:
    when = datetime(2020, 1, 2, tzinfo=UTC)
    table = pa.table({"review_id": [7], "text": [when], "stars": [Decimal("4.0")], "day": [date(2020, 1, 2)]})
    pq.write_table(table, tmp_path / "review.parquet")
    assert read(tmp_path / "review.parquet")[0] == [{"review_id": 7, "text": when, "stars": Decimal("4.0")}]


@pytest.mark.parametrize("ending", [".json", ".csv", ".parquet"])
def test_missing_columns_are_named_all_at_once_with_what_there_is(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"review{ending}"
    frame = pd.DataFrame({"id": ["a"], "body": ["x"], "stars": [5]})
    if ending == ".parquet":
        frame.to_parquet(file)
    else:
        file.write_text(frame.to_csv(index=False) if ending == ".csv" else frame.to_json(orient="records", lines=True))
    with refusal(DataError, file.name, "review_id", "text", "body", "id", "stars") as no:
        read(file)
    assert no.value.exit_code is ExitCode.DATA


def test_an_optional_column_may_be_missing(tmp_path: Path) -> None:
    file = tmp_path / "review.csv"
    file.write_bytes(b"review_id,text\na,x\n")
    assert read(file)[0] == [{"review_id": "a", "text": "x", "stars": None}]


def test_a_column_that_some_rows_lack_is_not_missing(tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    file.write_bytes(b'{"review_id": "a"}\n{"text": "x"}')
    assert [(row["review_id"], row["text"]) for row in read(file)[0]] == [("a", None), (None, "x")]


def test_unknown_columns_bring_one_warning_that_names_them(tmp_path: Path, warnings: list[str]) -> None:
    file = tmp_path / "review.csv"
    file.write_bytes(b"review_id,text,stars,cool,tags,mood\na,x,1,0,t,m\n" * 3)
    read(file, ignored=["cool"], batch_rows=1)
    assert len(warnings) == 1
    assert_names(warnings[0], "review.csv", 2, "mood", "tags")
    other = tmp_path / "review-2.csv"
    other.write_bytes(b"review_id,text,mood,pace\na,x,m,p\n")
    read(file, other, file, ignored=["cool"])
    assert [names(line, "tags") for line in warnings] == [True, True, False], "once for all files of a run"
    assert_names(warnings[2], "review-2.csv", 1, "pace")
    assert not names(warnings[2], "mood")


def test_ignored_columns_bring_none(tmp_path: Path, warnings: list[str]) -> None:
    file = tmp_path / "review.csv"
    file.write_bytes(b"review_id,text,cool\na,x,1\n")
    read(file, ignored=["cool"])
    read(file, ignored=None)
    assert warnings == []


def test_a_csv_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "review.csv"
    file.write_bytes(b"review_id,text,text\na,x,y\n")
    with refusal(DataError, "review.csv", 2, 3):
        read(file)


def cut_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(JSON_LINES * 50)[:-20])


def flipped_gzip(path: Path) -> None:
    data = bytearray(gzip.compress(JSON_LINES * 50))
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def cut_parquet(path: Path) -> None:
    write_parquet(path)
    path.write_bytes(path.read_bytes()[:-10])


def flipped_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS * 500), path, write_page_checksum=True, use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("review.json.gz", cut_gzip),
        ("review.json.gz", flipped_gzip),
        ("review.csv.gz", lambda path: path.write_bytes(b"this is no gzip")),
        ("review.parquet", cut_parquet),
        ("review.parquet", flipped_parquet),
        ("review.parquet", lambda path: path.write_bytes(b"")),
        ("review.parquet", lambda path: path.write_bytes(b"PAR1 this is no parquet PAR1")),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, name: str, damage: Callable[[Path], object]) -> None:
    file = tmp_path / name
    damage(file)
    with refusal(DataError, file.name):
        read(file)


@pytest.mark.parametrize("name", ["review.json", "review.csv", "review.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert read(file) == ([], [])


def test_files_of_a_table_are_found_by_pattern_and_known_ending(tmp_path: Path) -> None:
    for name in (
        "review.json", "b_review_2.csv.gz", "a_review.parquet", "review.txt", "review.json.tmp", ".review.json",
        "user.json", "review", "review.json.part", "REVIEW.gz",
    ):  # fmt: skip
        (tmp_path / name).touch()
    (tmp_path / "review_folder.json").mkdir()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "review.json").touch()
    found = [path.name for path in find_files(tmp_path, "*review*")]
    assert found == ["a_review.parquet", "b_review_2.csv.gz", "review.json"]


def test_a_folder_that_is_not_there_holds_no_files(tmp_path: Path) -> None:
    assert find_files(tmp_path / "nowhere", "*") == []


def test_a_list_below_a_field_is_rows_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"total": 3, "items": [{"text": "a"}, {"text": "b"}, 7]}))
    [batch] = read_batches([file], ["text"], [], 10, under="items")
    assert batch.rows[["text", "source_line"]].values.tolist() == [["a", 1], ["b", 2]]
    assert batch.whole == [{"text": "a"}, {"text": "b"}]
    assert [(row.line, row.reason) for _, row in batch.broken] == [(3, "not a JSON object")]
