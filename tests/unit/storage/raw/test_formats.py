"""Kinds of text files as people and programs write them: separators, encodings, arrays, and what is no text at all."""

from __future__ import annotations

import gzip
import json
import re
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.naming import assert_names, names, refusal

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.batches import read_batches
from batch_nlp.storage.raw.column_checks import first_rows, missing_columns
from batch_nlp.storage.raw.formats import rows_of
from batch_nlp.storage.raw.known_files import content_digest
from batch_nlp.storage.raw.lines import BrokenRow
from batch_nlp.storage.raw.opening import DETECTED, TextForm

# without the time, by which two processes would name their tests differently
GZIPPED = gzip.compress(b"id,text\n", mtime=0)
ROWS = [{"id": "a", "text": "Friendly staff, clean rooms"}, {"id": "b", "text": "zu laut; però bello|ok"}]


def written(folder: Path, name: str, content: bytes | str) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def read(file: Path, form: TextForm = DETECTED) -> list[dict[str, Any]]:
    """Return the rows of a file in which no row is broken."""
    found = [row for _, row, _ in rows_of(file, form=form)]
    assert all(isinstance(row, dict) for row in found), found
    return [row for row in found if isinstance(row, dict)]


def zstd(content: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    return out.getvalue().to_pybytes()


def csv_of(separator: str) -> str:
    quoted = [[f'"{value}"' for value in row.values()] for row in ROWS]
    return "\n".join(separator.join(cells) for cells in [["id", "text"], *quoted])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_of_a_csv_is_found(tmp_path: Path, separator: str) -> None:
    assert read(written(tmp_path, "a.csv", csv_of(separator))) == ROWS


@pytest.mark.parametrize("separator", ["~|~", "|~|", "#*#", "~|", "::", "***"])
def test_a_separator_of_several_characters_is_told_and_is_to_be_replaced(tmp_path: Path, separator: str) -> None:
    content = f"id{separator}text{separator}label\na{separator}Fine, really{separator}good\n"
    file = written(tmp_path, "a.csv", content)
    with refusal(DataError, "a.csv", repr(separator)):
        read(file)
    row = {"id": "a", "text": "Fine, really", "label": "good"}
    assert read(written(tmp_path, "b.csv", content.replace(separator, "\t"))) == [row]


@pytest.mark.parametrize(
    "content", ["id||text\na||fine\n", "text,#tag\nfine,#ok\n", "id,$a,$b\nx,$1,$2\n", 'id,"?!",b\nx,"?!",y\n']
)
def test_marks_beside_a_separator_are_no_part_of_it(tmp_path: Path, content: str) -> None:
    assert len(read(written(tmp_path, "a.csv", content))) == 1


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;,", '"sep=;";;'])
def test_excel_says_the_separator_in_the_first_line(tmp_path: Path, first: str) -> None:
    file = written(tmp_path, "a.csv", f"{first}\r\nid;a,b;c,d\r\nx;1,2;3,4\r\n")
    assert [(number, row) for number, row, _ in rows_of(file)] == [(3, {"id": "x", "a,b": "1,2", "c,d": "3,4"})]


def test_commas_in_the_header_and_in_every_text_are_no_separators_where_another_fits(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "id;name, first;text\nx;Rossi, Anna;fine\ny;Bianchi, Ugo;good\n")
    assert [list(row) for row in read(file)] == [["id", "name, first", "text"]] * 2


def test_other_characters_in_the_header_and_texts_of_a_plain_csv_separate_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "id,what is it; or not|text\nx,fine; really\nbroken\ny,good\n")
    assert [list(row) for _, row, _ in rows_of(file) if isinstance(row, dict)] == [
        ["id", "what is it; or not|text"]
    ] * 2


def test_a_tsv_is_separated_by_tabs_whatever_its_header_has(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.TSV", "id, or number\ttext, short, plain\nx\tfine\n")) == [
        {"id, or number": "x", "text, short, plain": "fine"}
    ]


def test_a_separator_that_is_set_is_taken(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "id:text,long\nx:fine\n")
    assert read(file, TextForm(separator=":")) == [{"id": "x", "text,long": "fine"}]


def test_a_wrong_separator_that_is_set_is_named(tmp_path: Path) -> None:
    file, form = written(tmp_path, "a.csv", "id;text\nx;fine\n"), TextForm(separator=",")
    with refusal(DataError, "a.csv", "';'", "dataset.messages.separator"):
        list(read_batches([file], ["text"], [], 10, form=form))
    file = written(tmp_path, "b.csv", "id;text\nx;fine, nice\n")
    with refusal(DataError, "b.csv", 1, "dataset.messages.separator"):
        list(read_batches([file], ["text"], [], 10, form=form))
    assert read(file, TextForm(separator=";")) == [{"id": "x", "text": "fine, nice"}]


@pytest.mark.parametrize("separator", ["^", "~", "\x01", "\x1f"])
def test_an_unusual_separator_is_named(tmp_path: Path, separator: str) -> None:
    file = written(tmp_path, "a.csv", separator.join(["id", "text", "day"]) + "\n" + separator.join("abc"))
    problem = missing_columns(file, first_rows(file), ["text"], {"id", "text"})
    assert_names(problem, "a.csv", repr(separator), "dataset.messages.separator")
    message = missing_columns(file, [{"late: a text": "x"}], ["text"], {"id", "text"})
    assert_names(message, "a.csv", "text")
    assert not names(message, "late"), "the text of a message is told to nobody"


@pytest.mark.parametrize("end", ["", ",,", ","])
def test_columns_without_name_and_value_are_none(tmp_path: Path, end: str) -> None:
    """Excel writes them; rows may have more or fewer of them than the header."""
    assert read(written(tmp_path, "a.csv", f"id,text,,\nx,fine,,\ny,good{end}\n")) == [
        {"id": "x", "text": "fine"},
        {"id": "y", "text": "good"},
    ]
    assert read(written(tmp_path, "b.csv", f"id,text\ny,good{end}\n")) == [{"id": "y", "text": "good"}]


def test_a_column_without_a_name_and_with_values_is_called_as_pandas_calls_it(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.csv", ",text,\n0,fine,\n1,good,!\n")) == [
        {"Unnamed: 0": "0", "text": "fine"},
        {"Unnamed: 0": "1", "text": "good", "Unnamed: 2": "!"},
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.csv.zst", "a.json.GZ"])
def test_a_byte_order_mark_says_the_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    text = csv_of(";") if ".csv" in name else "\r\n".join(map(json.dumps, ROWS))
    pack = {".zst": zstd, ".GZ": gzip.compress}.get(name[-4:].removeprefix("n"), bytes)
    file = written(tmp_path, name, pack(text.encode(encoding)))
    assert read(file) == read(file, TextForm(encoding="cp1252")) == ROWS


def test_an_encoding_that_is_set_is_that_of_files_without_a_mark(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", csv_of(";").encode("cp1252"))
    assert read(file, TextForm(encoding="cp1252")) == ROWS
    requeued = written(tmp_path, "a-requeued-1.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS))
    assert read(requeued, TextForm(encoding="cp1252")) == ROWS


def test_the_advice_for_utf_16_without_a_mark_works(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", csv_of(",").encode("utf-16-be"))
    with refusal(DataError, "a.csv", "UTF-16") as refused:
        read(file)
    [encoding] = re.findall(r"dataset\.messages\.encoding=([\w-]+)\.", str(refused.value))
    assert read(file, TextForm(encoding=encoding)) == ROWS


def test_what_cannot_be_decoded_breaks_its_row_alone(tmp_path: Path) -> None:
    content = "id,text\nx,fine\n".encode("utf-16") + b"y\x00,\x00\x00\xd8\n\x00z\x00,\x00g\x00\n\x00"
    rows = [row for _, row, _ in rows_of(written(tmp_path, "a.csv", content))]
    assert [row if isinstance(row, dict) else row.reason for row in rows] == [
        {"id": "x", "text": "fine"}, "invalid UTF-8", {"id": "z", "text": "g"},
    ]  # fmt: skip


@pytest.mark.parametrize("content", [zstd(b'{"id": "a"}\n' * 9)[:-4], b"no zstd"])
def test_a_damaged_zstd_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = written(tmp_path, "a.json.zst", content)
    for reads in (read, content_digest):
        with refusal(DataError, file.name):
            reads(file)


def test_a_file_is_known_by_its_content_however_it_is_packed(tmp_path: Path) -> None:
    content = csv_of(",").encode()
    packed = {"a.csv": content, "b.csv.gz": gzip.compress(content), "c.CSV.ZST": zstd(content)}
    assert len({content_digest(written(tmp_path, *pair)) for pair in packed.items()}) == 1


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", ["", "\ufeff", "\ufeff\ufeff", " \n "])
def test_an_array_of_objects_is_read_by_position(tmp_path: Path, indent: int | None, before: str) -> None:
    rows = [*ROWS, {"id": 2**70, "text": 'a "[{" \\ inside', "more": {"at": [{"x": [1.5, None]}]}}]
    file = written(tmp_path, "a.json", before + json.dumps(rows, indent=indent, ensure_ascii=False) + "\n")
    assert [(number, row) for number, row, _ in rows_of(file)] == list(enumerate(rows, 1))


def test_an_array_is_read_in_constant_memory_wherever_its_chunks_end(tmp_path: Path) -> None:
    """Chunks are of 256 KiB; the array is of 8 MB."""
    rows = [{"id": number, "text": "però " * (number % 41)} for number in range(60_000)]
    file = written(tmp_path, "a.json", json.dumps(rows, indent=1, ensure_ascii=False))
    tracemalloc.start()
    count = sum(row == rows[number - 1] for number, row, _ in rows_of(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == len(rows)
    assert peak < 4_000_000


def test_an_object_that_is_longer_than_a_chunk_is_read(tmp_path: Path) -> None:
    rows = [{"id": 1, "text": "x" * 1_000_000}, {"id": 2, "text": "y"}]
    assert read(written(tmp_path, "a.json", json.dumps(rows))) == rows


def test_objects_over_several_lines_are_rows(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.json", json.dumps(ROWS[0], indent=4))) == ROWS[:1]
    assert read(written(tmp_path, "b.json", "\n".join(json.dumps(row, indent=2) for row in ROWS))) == ROWS


def test_an_empty_array_has_no_rows(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.json", "[\n]\n")) == []


def test_what_is_no_object_in_an_array_is_a_broken_row(tmp_path: Path) -> None:
    file = written(tmp_path, "a.json", b'[{"id": 1}, 12, [{"id": 2}], {"id": "\xff"}, {"id": NaN, "text": "\\ud800"}]')
    found = [(number, row if isinstance(row, dict) else row.reason) for number, row, _ in rows_of(file)]
    assert found[:4] == [(1, {"id": 1}), (2, "not a JSON object"), (3, "not a JSON object"), (4, "invalid UTF-8")]
    assert str(found[4]) == "(5, {'id': nan, 'text': '\ufffd'})"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('[{"id": 1},\n{"id": 2', "object 2"),
        ('[{"id": 1},\n{"id": "2', "object 2"),
        ('[{"id": 1},\n', "object 2"),
        ('[{"id": 1}, {id: 2}, {"id": 3}' + " " * 99 + "]", "object 2"),
        ('[{"id": 1}, {"id": ' + "[" * 100_000, "object 2"),
        ('{\n "id": 1,\n', "object 1"),
        ('{"data": [\n{"id": 1},\n', "object 1"),
    ],
)
def test_an_object_without_an_end_is_an_error_that_says_where(tmp_path: Path, content: str, place: str) -> None:
    file = written(tmp_path, "a.json", content)
    with refusal(DataError, file.name, place):
        read(file)


def zipped(tmp_path: Path) -> bytes:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", csv_of(","))
    return (tmp_path / "a.zip").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("a.csv", zipped, [".xlsx"]),
        ("a.json", gzip.compress(b"{}", mtime=0), [".gz"]),
        ("a.csv", zstd(b"id,text\n"), [".zst"]),
        ("a.csv", b"PAR1 and so on", [".parquet"]),
        ("a.csv", "Report of May\n\nid,text\n1,fine\n", [2, "line 3"]),
        ("a.csv", "text\nfine, really\n", ["dataset.messages.separator='tab'"]),
        ("a.csv", "id^text\n1^fine, really\n", ["dataset.messages.separator='^'"]),
        ("a.jsonl", "{'id': 1, 'text': 'fine'}\n", ["json.dumps"]),
        ("a.csv", "Report of May,,\n,,\nid,text,label\n1,fine,a\n", [3]),
        ("a.csv", "# of May, all\nid,text,label,date\n1,fine,a,b\n", [2, "line 2", 4, "dataset.messages.separator"]),
        ("a.csv", "id,text\n1,x,fine\n2,y,good\n", ["row.names=FALSE"]),
        ("a.csv", 'id,text\n1,"a \\"fine\\" day\nand night"\n', ["line 2", "escape='\"'"]),
        ("a.csv", 'id,text\n1,"a "fine" day"\n', ["line 2", "CSV"]),
        ("a.csv", b"\0" * 5000, ["binary"]),
        ("a.csv", "<!DOCTYPE html>\n<html>\n", []),
        ("a.json", "\n<html lang=en>\n", []),
        ("a.csv.gz", gzip.compress(GZIPPED, mtime=0), [".gz"]),
        ("a.csv.gz", csv_of(","), [".gz"]),
        ("a.csv.zst", csv_of(","), [".zst"]),
        ("a.parquet", csv_of(","), [".csv", ".jsonl"]),
        ("a.json", bytes(range(256)) * 3, ["binary"]),
        ("a.json", csv_of(","), [".csv"]),
        ("a.csv", json.dumps(ROWS), [".jsonl", ".json"]),
        ("a.csv", "\n".join(map(json.dumps, ROWS)), [".jsonl", ".json"]),
        ("a.json", "[1, 2]", ["line 1", "JSON"]),
        ("a.csv", b"id,text\n1,\xe8\n", ["dataset.messages.encoding=cp1252"]),
    ],
)  # fmt: skip
def test_a_file_in_which_nothing_can_be_read_is_an_error_with_its_cause(
    tmp_path: Path, name: str, content: Any, cause: list[object]
) -> None:
    file = written(tmp_path, name, content(tmp_path) if callable(content) else content)
    with refusal(DataError, name, *cause):
        list(read_batches([file], ["text"], [], 10))


def test_a_file_with_a_header_alone_has_its_columns_and_no_rows(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "id,text\n")
    assert first_rows(file) == [{"id": None, "text": None}]
    assert sum(len(batch.rows) for batch in read_batches([file], ["text"], [], 10)) == 0
    assert_names(missing_columns(file, first_rows(file), ["body"], {"body", "text"}), "a.csv", "body")


def test_an_empty_line_in_a_cell_stays_where_the_separator_is_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'\n\nid,text\n1,"one\n\ntwo"\n\n2,three\n')
    assert [found.row for found in rows_of(file)] == [{"id": "1", "text": "one\n\ntwo"}, {"id": "2", "text": "three"}]


def test_a_time_in_parquet_that_python_cannot_hold_is_text(tmp_path: Path) -> None:
    """A file may mark what has no end by the last day that there is, which is another one in Tokyo."""
    ends = pa.array([0, 253_402_300_799_000_000], pa.timestamp("us", "Asia/Tokyo"))
    texts = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\4\0\0\0\5\0\0\0"), pa.py_buffer(b"fine\xff"))
    days = pa.array([0, 10_000_000], pa.date32())
    pq.write_table(pa.table({"end": ends, "day": days}), tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet")
    assert (str(first["end"]), str(first["day"])) == ("1970-01-01 09:00:00+09:00", "1970-01-01")
    assert second == {"end": "10000-01-01 08:59:59.000000+0900", "day": "29349-01-26"}
    pq.write_table(pa.table({"end": ends, "text": texts}), tmp_path / "b.parquet")
    [_, broken] = [row for _, row, _ in rows_of(tmp_path / "b.parquet")]
    assert broken == BrokenRow(2, "invalid UTF-8", "\\xff")
    pq.write_table(pa.table({"days": [[day] for day in days]}), tmp_path / "c.parquet")
    with refusal(DataError, "c.parquet"):
        read(tmp_path / "c.parquet")


def test_bytes_and_uuids_in_parquet_are_text(tmp_path: Path) -> None:
    ids = [UUID(int=1), None]
    table = pa.table({
        "id": pa.array([one and one.bytes for one in ids], pa.uuid()),
        "text": pa.array(["più".encode(), b"\xff"], pa.binary()),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == [{"id": str(ids[0]), "text": "più"}, {"id": None, "text": b"\xff"}]


def test_columns_of_one_name_in_parquet_are_refused(tmp_path: Path) -> None:
    texts = pa.array(["fine"])
    pq.write_table(pa.Table.from_arrays([texts, texts, texts], ["text", "id", "text"]), tmp_path / "a.parquet")
    with refusal(DataError, "a.parquet", "text"):
        read(tmp_path / "a.parquet")


def test_objects_with_commas_between_their_lines_are_rows(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.jsonl", ",\n".join(map(json.dumps, ROWS)) + ",\n")) == ROWS


@pytest.mark.parametrize(
    "content",
    [
        '{"id": {"0": "a", "1": "b"}, "text": {"0": "fine", "1": "good"}}',
        '{"0": {"id": "a", "text": "fine"}, "1": {"id": "b", "text": "good"}}',
        '{"id": ["a", "b"], "text": ["fine", "good"]}',
        '{"columns": ["id", "text"], "index": [0, 1], "data": [["a", "fine"], ["b", "good"]]}',
    ],
)
def test_a_table_by_columns_is_refused_with_what_writes_it_by_rows(tmp_path: Path, content: str) -> None:
    with refusal(DataError, "a.json", 'orient="records", lines=True'):
        read(written(tmp_path, "a.json", content))


def test_rows_of_objects_alike_are_no_table_by_columns(tmp_path: Path) -> None:
    rows = [{"question": {"text": "how?"}, "answer": {"text": f"so {n}"}} for n in range(2)]
    assert read(written(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))) == rows


@pytest.mark.parametrize(("ending", "row"), [("csv", "x,{}"), ("jsonl", '{{"id": "x", "text": "{}"}}')])
def test_a_file_many_of_whose_rows_are_in_another_encoding_is_refused(tmp_path: Path, ending: str, row: str) -> None:
    def lines(*texts: str) -> bytes:
        rows = [row.format(text) for text in texts]
        return "\n".join(["id,text", *rows] if ending == "csv" else rows).encode("cp1252")

    file = written(tmp_path, f"a.{ending}", lines(*["fine"] * 27, *["pi\xf9"] * 3))
    with refusal(DataError, file.name, 3, 30, "encoding=cp1252"):
        read(file)
    # rows that are damaged are not the file's fault
    for damaged in (
        lines(*["fine"] * 28, *["pi\xf9"] * 3),
        lines(*["fine"] * 18, *["pi\xf9"] * 2),
        lines(*["pi\xf9"] * 3) + b"\n" + row.format("pi\xf9").encode(),
    ):
        assert sum(isinstance(found.row, BrokenRow) for found in rows_of(written(tmp_path, f"a.{ending}", damaged))) > 1


def test_a_file_most_of_whose_rows_are_broken_is_refused_with_the_cause_of_most(tmp_path: Path) -> None:
    broken = ["x,b\xff", *["a,b,c"] * 19]
    content = "\n".join(["id,text", *["x,fine"] * 19, *broken]).encode("latin-1")
    with refusal(DataError, "a.csv", 20, 39, "line 22", 3, 2):
        read(written(tmp_path, "a.csv", content))
    assert len(list(rows_of(written(tmp_path, "a.csv", content + b"\ny,good")))) == 40


@pytest.mark.parametrize(("name", "separator"), [("a.tsv", "\t"), ("a.csv", ",")])
def test_two_quotes_that_are_opened_and_not_closed_do_not_join_two_rows(
    tmp_path: Path, name: str, separator: str
) -> None:
    lines = ["id,text,label", '1,"Great product,pos', '2,is good",neg', "3,fine,pos"]
    found = [row for _, row, _ in rows_of(written(tmp_path, name, "\n".join(lines).replace(",", separator)))]
    assert isinstance(found[0], BrokenRow)
    assert (found[0].line, found[0].raw) == (2, lines[1].replace(",", separator))
    assert [row["id"] for row in found[1:] if isinstance(row, dict)] == ["2", "3"]


def test_a_text_with_as_many_commas_in_each_line_as_the_header_is_one(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", 'id,text,label\n1,"Well, it\nis good, I think",pos\n')
    assert read(file) == [{"id": "1", "text": "Well, it\nis good, I think", "label": "pos"}]
    file = written(tmp_path, "b.csv", 'text,label\n"It cost 1,000\nand broke",neg\n')
    assert read(file) == [{"text": "It cost 1,000\nand broke", "label": "neg"}]


def test_a_header_with_one_name_is_one_where_no_line_has_all_cells(tmp_path: Path) -> None:
    assert read(written(tmp_path, "a.csv", "text,,\nfine,,\ngood,,\n")) == [{"text": "fine"}, {"text": "good"}]


def test_the_header_of_a_second_file_is_no_row(tmp_path: Path) -> None:
    content = "\ufeff\ufeff".encode() + "\ufeffid, text\nx,fine\n".encode() * 2
    found = [row for _, row, _ in rows_of(written(tmp_path, "a.csv", content))]
    assert [(row.line, row.raw) if isinstance(row, BrokenRow) else row for row in found] == [
        {"id": "x", "text": "fine"},
        (3, "id, text"),
        {"id": "x", "text": "fine"},
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_file_that_is_utf_8_is_read_as_such_whatever_encoding_is_set(tmp_path: Path, name: str) -> None:
    content = (csv_of(";") + "\n" + "c;plain\n" * 20_000 + "d;più").encode()
    file = written(tmp_path, name, gzip.compress(content) if name.endswith(".gz") else content)
    rows = read(file, TextForm(encoding="cp1252"))
    assert (rows[1]["text"], rows[-1]["text"]) == (ROWS[1]["text"], "più")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lines_may_end_in_carriage_returns_alone(tmp_path: Path, name: str, encoding: str) -> None:
    text = csv_of(";") if name == "a.csv" else "\n".join(map(json.dumps, ROWS))
    file = written(tmp_path, name, text.replace("\n", "\r").encode(encoding))
    assert [line for line, _, _ in rows_of(file)] == ([2, 3] if name == "a.csv" else [1, 2])
    assert read(file) == ROWS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("header", ["текст,имя", "id,text", "τίτλος"])
def test_utf_16_without_a_mark_is_told_in_other_letters_too(tmp_path: Path, encoding: str, header: str) -> None:
    file = written(tmp_path, "a.csv", f"{header}\nящик,да\n".encode(encoding))
    with refusal(DataError, f"dataset.messages.encoding={encoding}"):
        read(file)


@pytest.mark.parametrize("content", ["a", "\t\n", "id\n", "a\x01b\x01c\n"])
def test_short_text_is_no_utf_16(tmp_path: Path, content: str) -> None:
    list(rows_of(written(tmp_path, "a.csv", content)))


def test_values_of_mongodb_are_read_without_their_types(tmp_path: Path) -> None:
    row = {
        "_id": {"$oid": "507f1f77bcf86cd799439011"},
        "at": {"$date": "2022-01-31T09:15:00Z"},
        "then": {"$date": {"$numberLong": "1643620500000"}},
        "stars": {"$numberInt": "5"},
        "of": [{"user": {"$oid": "a"}, "$ref": "users"}],
        "price": "5 {$oid}",
        "binary": {"$binary": {"base64": "", "subType": "00"}},
    }
    expected = {
        **row,
        "_id": "507f1f77bcf86cd799439011",
        "at": "2022-01-31T09:15:00Z",
        "then": "1643620500000",
        "stars": "5",
        "of": [{"user": "a", "$ref": "users"}],
    }
    assert read(written(tmp_path, "a.jsonl", json.dumps(row))) == [expected]
    assert read(written(tmp_path, "a.json", json.dumps([row], indent=2))) == [expected]


def test_quotes_behind_backslashes_and_nothing_as_databases_write_them(tmp_path: Path) -> None:
    """MySQL and Spark put a backslash before a quote; psql writes ``\\N`` where there is nothing."""
    content = 'id,text,label\n1,"She said \\"fine\\", twice",\\N\n2,"it was \\"so so\\"","\\N"\n3,"C:\\",good\n'
    assert read(written(tmp_path, "a.csv", content)) == [
        {"id": "1", "text": 'She said "fine", twice', "label": None},
        {"id": "2", "text": 'it was "so so"', "label": None},
        {"id": "3", "text": "C:\\", "label": "good"},
    ]


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_a_text_between_tabs_may_begin_with_words_in_quotes(tmp_path: Path, name: str) -> None:
    content = 'text\tlabel\n"urgent" i need a voucher\tvoucher\n"a" or "b"?\tother\n"quoted\t""so"""\tother\nfine\tok\n'
    assert [[*row.values()] for row in read(written(tmp_path, name, content))] == [
        ['"urgent" i need a voucher', "voucher"],
        ['"a" or "b"?', "other"],
        ['quoted\t"so"', "other"],
        ["fine", "ok"],
    ]


def test_a_carriage_return_in_a_text_without_quotes_ends_no_row(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", 'id,text\n1,one\rtwo\n2,"one\rtwo"\n3,fine\r\n')
    assert [row["text"] for row in read(file)] == ["one two", "one\rtwo", "fine"]


@pytest.mark.parametrize("start", ["window.YTD.tweets.part0 = ", "var data=", "const data =\n"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_that_a_script_assigns_is_read(tmp_path: Path, start: str, indent: int | None) -> None:
    content = f"{start}{json.dumps(ROWS, indent=indent)};\n"
    assert read(written(tmp_path, "a.json", content)) == ROWS


def test_lines_of_texts_below_one_name_are_one_column(tmp_path: Path) -> None:
    texts = ["Friendly staff, clean rooms", "fine", "late, cold, and dear", "good; or not"]
    file = written(tmp_path, "a.csv", "\n".join(["text", *texts]))
    assert [row["text"] for row in read(file)] == texts
    assert [row["text"] for row in read(written(tmp_path, "r.csv", "text\none\rtwo\n"))] == ["one two"]
    quoted = written(tmp_path, "b.csv", 'text,\n"fine, really",\nfine,\n')
    assert [row["text"] for row in read(quoted)] == ["fine, really", "fine"]
    with refusal(DataError, "c.csv"):
        read(written(tmp_path, "c.csv", "Report of May\n" + "id,text\n" + "1,fine\n2,well, really\n" * 20))
