"""Guarantees 5 and 16: every line of a file is a row or a broken row, whatever stands around it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_nlp.storage.raw.batches import read_batches

COLUMNS = ["review_id", "text", "date", "user_id", "business_id"]
# what can be written as UTF-8; a lone carriage return ends a line for some and not for others
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1, max_size=20)
ROW = st.lists(CELL, min_size=5, max_size=5)
ROWS = st.lists(ROW, min_size=1, max_size=8)


def read_back(content: bytes, ending: str, batch_rows: int) -> tuple[list[dict[str, Any]], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"review{ending}"
        file.write_bytes(content)
        batches = list(read_batches([file], COLUMNS[:3], COLUMNS[3:], batch_rows))
    return [row for batch in batches for row in batch.rows[COLUMNS].to_dict("records")], [
        broken.reason for batch in batches for _, broken in batch.broken
    ]


def as_csv(rows: Iterable[list[str]], quoting: Any = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator="\n").writerows(rows)
    return out.getvalue()


@settings(max_examples=60)
@given(rows=ROWS, order=st.permutations(COLUMNS), batch_rows=st.integers(1, 9), data=st.data())
def test_rows_come_back_from_every_format_in_any_order_of_columns_and_size_of_batch(
    rows: list[list[str]], order: list[str], batch_rows: int, data: st.DataObject
) -> None:
    """Guarantees 4 and 16."""
    records = [dict(zip(order, row, strict=True)) for row in rows]
    ending = data.draw(st.sampled_from([".json", ".csv", ".json.gz", ".csv.gz", ".parquet"]))
    if ending == ".parquet":
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(records), out)
        content = out.getvalue()
    elif ending.startswith(".csv"):
        quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        content = as_csv([order, *rows], quoting).encode()
    else:
        as_ascii = data.draw(st.booleans())
        content = "\n".join(json.dumps(record, ensure_ascii=as_ascii) for record in records).encode()
    found, broken = read_back(gzip.compress(content) if ending.endswith("gz") else content, ending, batch_rows)
    assert broken == []
    assert found == [{name: record[name] for name in COLUMNS} for record in records]


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"'), min_size=1, max_size=10)


@settings(max_examples=60)
@given(rows=st.lists(st.lists(PLAIN, min_size=5, max_size=5), min_size=1, max_size=8), data=st.data())
def test_a_csv_line_that_opens_a_quote_takes_no_other_line_with_it(rows: list[list[str]], data: st.DataObject) -> None:
    """Guarantee 5."""
    lines = as_csv([COLUMNS, *rows], data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))).splitlines()
    if len(lines) != 1 + len(rows):  # a separator of lines that is none in CSV
        return
    lines.insert(data.draw(st.integers(1, len(lines))), 'x,"never closed,2020-01-01,u,b')
    found, broken = read_back("\n".join(lines).encode(), ".csv", data.draw(st.integers(1, 9)))
    assert [list(row.values()) for row in found] == rows
    assert [reason.partition(":")[0] for reason in broken] == ["broken CSV"]


@settings(max_examples=60)
@given(ids=st.lists(st.integers() | st.integers(2**63 - 2, 2**70), min_size=1, max_size=8, unique=True))
def test_whole_numbers_of_any_length_are_kept_to_the_digit(ids: list[int]) -> None:
    """Guarantee 5: two ids never become one."""
    lines = [json.dumps({"review_id": number, "text": "fine", "date": "2020-01-01"}) for number in ids]
    found, broken = read_back("\n".join(lines).encode(), ".json", 100)
    assert (broken, [row["review_id"] for row in found]) == ([], ids)


@settings(max_examples=40)
@given(content=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ")), max_size=12))
def test_each_line_of_any_bytes_is_a_row_or_a_broken_row(content: list[bytes]) -> None:
    """Guarantee 5. So many sound rows that the file is not refused for its broken ones."""
    sound = [b'{"review_id": "a", "text": "b", "date": "c"}'] * 121
    found, broken = read_back(b"\n".join([*sound, *content]), ".json", 50)
    blank = sum(not line.removeprefix(b"\xef\xbb\xbf").strip() for line in content)
    assert len(found) + len(broken) == len(sound) + len(content) - blank
