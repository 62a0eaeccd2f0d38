# ruff: noqa: E501 a table
"""Files as nobody should write them, and what is to become of their rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MARK = b"\xef\xbb\xbf"
HEADER = b"review_id,text,date,stars\n"


@dataclass(frozen=True)
class Case:
    """A file, and the fate of each of its rows.

    Parameters
    ----------
    name : str
        The file is named for it.
    ending : str
    content : bytes
    stored : tuple of str
        Ids of the messages that are stored and predicted.
    quarantined : dict of str to int
        First word of the reason, and number of rows.
    duplicates : int
    """

    name: str
    ending: str
    content: bytes
    stored: tuple[str, ...] = ()
    quarantined: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0

    @property
    def file(self) -> str:
        return f"review_{self.name}{self.ending}"

    @property
    def rows(self) -> int:
        return len(self.stored) + sum(self.quarantined.values()) + self.duplicates

    def write(self, folder: Path) -> Path:
        path = folder / self.file
        path.write_bytes(self.content)
        return path


def row(name: object, text: object = "fine", date: object = "2020-01-02 03:04:05", **more: object) -> bytes:
    """Return a message as a line of JSON."""
    return json.dumps({"review_id": name, "text": text, "date": date, **more}).encode() + b"\n"


def raw(name: str, text: bytes) -> bytes:
    """Return a message whose text is those bytes, as they are."""
    return row(name, "HERE").replace(b"HERE", text)


DATES = ["2020-01-02 03:04:05", "2020-01-02", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.123+02:00", "20200102"]
NO_DATES = ["02.01.2020", "1/2/2020", "Jan 2, 2020", "soon", "2020-13-01", "2020-02-30", True, [2020], 1.5]
ODD_DATES = ["1969-12-31", "9999-12-31", "2100-01-02"]
IDS = [
    "a b",
    "a/b",
    "../../etc/passwd",
    "a\\b",
    "=1+1",
    "<script>alert(1)</script>",
    "'; DROP TABLE known; --",
    "é",
    "\U0001f621",
]
TEXTS = [
    '=HYPERLINK("http://x")', "@SUM(A1:A9)", "+1", "-2+3", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} ${jndi:ldap://x} %s {0}", "\u202eevil", "&lt;b&gt;", "\x00\x01\x1b[31m", "one\ntwo\r\nthree\u2028four",
]  # fmt: skip
COMMITTED = [
    Case(
        "broken_lines", ".json",
        row("bl-1") + b'{"review_id": "bl-2", "text": "cut of\n[]\n7\n"text"\n{\'review_id\': 1}\n\n' + row("bl-3"),
        ("bl-1", "bl-3"), {"broken": 2, "not": 3},
    ),
    Case("mark", ".json", MARK + row("bom-1") + MARK + row("bom-2"), ("bom-1", "bom-2")),
    Case("mark", ".csv", MARK + b'"review_id","text","date"\n"bom-3","fine","2020-01-02"\n', ("bom-3",)),
    Case(
        "invalid_utf8", ".json", row("iu-1") + raw("iu-2", b"\xff\xfe") + raw("iu-3", b"cut \xf0\x9f"),
        ("iu-1",), {"invalid": 2},
    ),
    Case("invalid_utf8", ".csv", HEADER + b"iu-4,\xff,2020-01-02,5\niu-5,fine,2020-01-02,5\n", ("iu-5",), {"invalid": 1}),
    Case("utf16", ".json", row("u16").decode().encode("utf-16"), ("u16",)),
    Case("windows", ".json", row("w-1").replace(b"\n", b"\r\n") + row("w-2").replace(b"\n", b"\r\n"), ("w-1", "w-2")),
    Case("windows", ".csv", b'review_id,text,date\r\nw-3,"one\r\ntwo",2020-01-02\r\nw-4,fine,2020-01-02\r\n', ("w-3", "w-4")),
    Case("nul", ".json", raw("n-1", b"a\x00b") + row("n-2", "a\x00b"), ("n-2",), {"broken": 1}),
    Case("nul", ".csv", HEADER + b"n-3,a\x00b,2020-01-02,5\n", ("n-3",)),
    Case(
        "deep", ".json",
        raw("d-1", b"x").replace(b'"x"', b"[" * 500 + b"]" * 500) + b'{"text": ' + b"[" * 100_000 + b"\n" + row("d-2"),
        ("d-2",), {"text": 1, "broken": 1},
    ),
    Case("duplicate_keys", ".json", b'{"review_id": "dk-1", ' + row("dk-2")[1:], ("dk-2",)),
    Case(
        "numbers", ".json",
        row(17, stars="4") + row("18", stars=" 4.0 ") + row(19.5, stars=4) + row("n-20", 5) + row("n-21", "5", stars="five")
        + row("n-22", False) + row("n-23", stars=0),
        ("17", "18", "19.5", "n-20"), {"target": 2, "text": 1},
    ),
    Case(
        "nan", ".json",
        row("nan-1", stars=float("nan")) + row("nan-2", float("nan")) + row(float("nan")) + row("nan-4", date=float("nan"))
        + row("nan-5", stars=float("inf")) + row(float("inf")),
        ("nan-1", "inf"), {"text": 1, "message_id": 1, "written_at": 1,
                    "target": 1},
    ),
    Case(
        "large_ids", ".json", b"".join(map(row, (2**64, 2**64 + 1, -(2**63) - 1, 10**30))),
        ("18446744073709551616", "18446744073709551617", "-9223372036854775809", str(10**30)),
    ),
    Case("huge_number", ".json", row("x").replace(b'"x"', b"9" * 5000) + row("hn-2"), ("hn-2",), {"broken": 1}),
    Case(
        "dates", ".json",
        b"".join(row(f"date-{number}", date=date) for number, date in enumerate([*DATES, *NO_DATES, *ODD_DATES, ""])),
        tuple(f"date-{number}" for number in range(len(DATES))),
        {"date": len(NO_DATES) + len(ODD_DATES), "written_at": 1},
    ),
    Case("ids", ".json", b"".join(map(row, IDS)), tuple(IDS)),
    Case(
        "no_ids", ".json", b"".join(map(row, ["", None, "x" * 257, "tab\t", "line\n", "nul\x00", [], {"a": 1}, True])), (),
        {"id": 4, "message_id": 2, "review_id": 3},
    ),
    Case("texts", ".json", b"".join(row(f"t-{n}", text) for n, text in enumerate(TEXTS)), tuple(f"t-{n}" for n in range(len(TEXTS)))),
    Case("no_texts", ".json", row("nt-1", "") + row("nt-2", " \t\n\u00a0") + row("nt-3", None), (), {"filter": 2, "text": 1}),
    Case("surrogates", ".json", row("s-1", "\ud83d and \udc00") + row("s-2", "\ud83d\ude00"), ("s-1", "s-2")),
    Case(
        "copies", ".json",
        row("c-1", date="soon") + row("c-1") + row("c-1") + row("c-1", "another text") + row("c-2", stars=11) + row("c-2", stars=5),
        ("c-1", "c-2"),
        {"date": 1, "id": 1, "target": 1}, 1,
    ),
    Case("empty", ".json", b""),
    Case("empty", ".csv", b""),
    Case("blank", ".jsonl", b"\n \n\r\n"),
    Case("header_only", ".csv", HEADER),
    Case(
        "unclosed_quote", ".csv",
        HEADER + b'q-1,fine,2020-01-02,5\nq-2,"never closed,2020-01-02,5\nq-3,fine,2020-01-02,5\nq-4,"closed",2020-01-02,5\n'
        b"q-5,fine,2020-01-02,5\n",
        ("q-1", "q-3", "q-4", "q-5"), {"broken": 1},
    ),
    Case(
        "unclosed_at_the_end", ".csv", HEADER + b'q-6,fine,2020-01-02,5\nq-7,"never closed\nq-8,fine,2020-01-02,5\n',
        ("q-6", "q-8"), {"broken": 1},
    ),
    Case("stray_quotes", ".csv", HEADER + b'q-9,5" pipe,2020-01-02,5\nq-10,"say "no" now",2020-01-02,5\n', ("q-9",), {"broken": 1}),
    Case(
        "cells", ".csv", HEADER + b'ce-1,two\nce-2,a,2020-01-02,5,more\nce-3,"a, ""b""\nc",2020-01-02,5\n', ("ce-3",),
        {"2": 1, "5": 1},
    ),
    Case(
        "empty_cells", ".csv", HEADER + b'ec-1,,2020-01-02,5\nec-2,"",2020-01-02,5\nec-3,fine,2020-01-02,\n', ("ec-3",),
        {"text": 2},
    ),
    Case("formulas", ".csv", HEADER + b"f-1,=1+1,2020-01-02,5\n=f-2,@SUM(A1),2020-01-02,5\n", ("f-1", "=f-2")),
]  # fmt: skip
# file names of those who still write
UNFINISHED = [
    "review_x.json.part",
    "review_x.json.tmp",
    ".review_x.json",
    "review_x.csv.filepart",
    "review_x.json.crdownload",
]


def large() -> Iterator[Case]:
    """Yield cases that are made when they are needed: long texts, and small files that expand to large ones."""
    yield Case(
        "long", ".json", row("l-1", "bad " * 2**18) + row("l-2", "x" * 10 * 2**20) + row("l-3"), ("l-1", "l-2", "l-3")
    )
    yield Case("long", ".csv", HEADER + b'l-4,"' + b"bad\n" * 2**14 + b'",2020-01-02,5\n', ("l-4",))
    bomb = gzip.compress(row("b-1") + b"a" * 2**26 + b"\n" + row("b-2"), compresslevel=1)
    yield Case("bomb", ".json.gz", bomb, ("b-1", "b-2"), {"longer": 1})
    bomb = gzip.compress(
        HEADER + b'b-3,fine,2020-01-02,5\nb-4,"' + b"a" * 2**26 + b"\nb-5,fine,2020-01-02,5\n", compresslevel=1
    )
    yield Case("bomb", ".csv.gz", bomb, ("b-3", "b-5"), {"longer": 1})
    bomb = gzip.compress(b"\n" * 2**17 + row("b-6"), compresslevel=1)
    yield Case("blank_bomb", ".json.gz", bomb, ("b-6",))


SOUND = row("r-1") * 40
REFUSED = {
    "twice.csv": b"review_id,text,date,text\nr,a,2020-01-02,b\n",
    "open_header.csv": b'review_id,"text,date\nr,a,2020-01-02\n',
    "cut.json.gz": gzip.compress(SOUND)[:-12],
    "twice_packed.parquet": gzip.compress(SOUND),
    "no_gzip.json.gz": SOUND,
    "no_parquet.parquet": b"PAR1" + SOUND + b"PAR1",
    "empty.parquet": b"",
    "one_broken_line.json": b"broken\n",
    "rows_of_another_header.csv": HEADER + b"r,two\n",
    "header_of_another_table.csv": b"id;body\n",
    "zip.csv": b"PK\x03\x04 and the rest",
    "cut_array.json": b"[" + b",".join([SOUND.splitlines()[0]] * 40),
    "other_columns.json": b'{"id": "r-1", "body": "fine"}\n' * 40,
}
