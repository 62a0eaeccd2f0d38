"""Turns rows into JSON lines, some of them broken in the ways in which real files are."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from batch_nlp.sample.yelp.reviews import Chunk, Row

# Columns of a message's id and of its label
ID, LABEL = "review_id", "stars"
_BAD_DATES = ("yesterday", "2019-13-45 99:00:00", "0000-00-00 00:00:00", "")
_BAD_STARS = (0.0, 6.0, 11.0, -1.0)


def to_lines(chunk: Chunk, columns: Sequence[str] | None = None) -> bytes:
    """Return the lines of a chunk.

    Parameters
    ----------
    chunk : Chunk
        Rows, and which of their lines are broken or repeated.
    columns : sequence of str, optional
        The columns to write; all of them by default.

    Returns
    -------
    bytes
        JSON lines in UTF-8, each with its line feed.
    """
    rows = chunk.rows if columns is None else [{name: row[name] for name in columns} for row in chunk.rows]
    lines = [orjson.dumps(row) for row in rows]
    for place, how in chunk.broken:
        lines[place] = _broken(rows[place], how)
    return b"".join([lines[place] + b"\n" for place in chunk.order])


def _broken(row: Row, how: int) -> bytes:
    """Return the line of a row with one fault, chosen by the random integer `how`."""
    kinds = ("cut", "no text", "null text", "blank text", "date", "stars")
    kind = kinds[how % len(kinds)]
    if kind == "stars" and "stars" not in row:
        kind = "cut"
    detail = how >> 4
    if kind == "cut":
        line = orjson.dumps(row)
        # A cut within a character would make the file invalid UTF-8, which is another fault than a cut line.
        return line[: len(line) // 5 + detail % (len(line) // 2)].decode("utf-8", "ignore").encode()
    damaged = dict(row)
    if kind == "no text":
        del damaged["text"]
    elif kind == "null text":
        damaged["text"] = None
    elif kind == "blank text":
        damaged["text"] = "  "
    elif kind == "date":
        damaged["date"] = _BAD_DATES[detail % len(_BAD_DATES)]
    else:
        damaged["stars"] = _BAD_STARS[detail % len(_BAD_STARS)]
    return orjson.dumps(damaged)
