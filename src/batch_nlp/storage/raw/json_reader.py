"""JSON as numbered rows: an object per line, or objects over several lines, one after another or in an array."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import orjson

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.lines import (
    BYTE_ORDER_MARK,
    INVALID_UTF_8,
    KEPT_BYTES,
    LINE_BYTES,
    BrokenRow,
    Line,
    Numbered,
    Row,
    read_lines,
    shown,
    too_long,
)

_CHUNK_BYTES = 1 << 18
# An array of objects, an empty one, or an object whose first line ends in its middle
_NOT_LINES = re.compile(
    rb"(?:\s*[A-Za-z_][\w.]*(?: \w+)?\s*=)?\s*(?:\[\s*(?:[{\]]|$)|\{[^\n]*(?:(?<=\[)\s*\n|(?<=[{,:])\s*\n(?!\s*\{)))"
)
_BETWEEN = re.compile(r"[\s,;\ufeff]*")
# What makes a script of JSON, as in the archive that Twitter gives to its users
_ASSIGNED = re.compile(r"\s*[A-Za-z_][\w.]*(?: \w+)?\s*=\s*")
# An error as near to the end of what was read as the longest word of JSON may be no error once the rest is read
_WORD = len("-Infinity")
# What MongoDB writes around values that JSON has no type for, of which the value can be read without the type
_TYPES = frozenset(
    {"$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$uuid", "$symbol"}
)
# Numbers stay text: this only finds where a value ends
_BOUNDS = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)


def json_rows(file: Path, binary: IO[bytes]) -> Iterator[Numbered]:
    """Yield the rows of a JSON file.

    Parameters
    ----------
    file : Path
        For messages.
    binary : file
        Its content in UTF-8.

    Raises
    ------
    DataError
        If an object of several lines, or in an array, has no end.
    """
    return _spread_rows(file, binary) if is_spread(binary) else _line_rows(read_lines(binary))


def is_spread(binary: IO[bytes]) -> bool:
    """Say whether the objects of a JSON file, of which nothing was read yet, are not one per line."""
    return bool(_NOT_LINES.match(cast("Any", binary).peek(_CHUNK_BYTES)))


def _line_rows(lines: Iterator[Line]) -> Iterator[Numbered]:
    for line in lines:
        number, content, whole = line
        if not whole:
            yield Numbered(number, too_long(line), KEPT_BYTES)
            continue
        # files that were joined have a byte-order mark in their middle too
        stripped = content.removeprefix(BYTE_ORDER_MARK).strip()
        if stripped:
            row = parse_json(stripped)
            if isinstance(row, str) and stripped.endswith(b"},"):  # as in an array, whose brackets are not there
                row = parse_json(stripped[:-1])
            found = BrokenRow(number, row, shown(stripped)) if isinstance(row, str) else row
            yield Numbered(number, found, len(content))


def _spread_rows(file: Path, binary: IO[bytes]) -> Iterator[Numbered]:
    """Yield objects that are over several lines or in arrays, numbered by position; memory is that of one object."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text, position, number, in_array, ended = "", 0, 0, False, False
    while True:
        if number == 0 and not in_array and (assigned := _ASSIGNED.match(text, position)):
            position = assigned.end()
        position = cast("re.Match[str]", _BETWEEN.match(text, position)).end()
        if text[position : position + 1] == ("]" if in_array else "["):
            in_array, position = not in_array, position + 1
            continue
        end = None
        if position < len(text):
            end = _end_of_value(file, text, position, number + 1, ended)
        if end is not None:
            number += 1
            content = text[position:end].encode("utf-8", "surrogateescape")
            row = parse_json(content)
            found = BrokenRow(number, row, shown(content)) if isinstance(row, str) else row
            yield Numbered(number, found, len(content))
            position = end
        elif not ended:
            # twice as much each time, so that a long value is not looked through too often
            chunk = binary.read(max(_CHUNK_BYTES, len(text) - position))
            ended = not chunk
            text, position = text[position:] + decoder.decode(chunk, ended), 0
        elif in_array:
            raise _broken(file, number + 1, "the file ends before its array does")
        else:
            return


def _end_of_value(file: Path, text: str, start: int, number: int, ended: bool) -> int | None:
    """Return where a JSON value ends, None if that is not read yet; a `DataError` says that it has no end."""
    try:
        end = _BOUNDS.raw_decode(text, start)[1]
    except json.JSONDecodeError as error:
        at_end = error.msg.startswith("Unterminated string") or error.pos >= len(text) - _WORD
        if ended or not at_end:
            raise _broken(file, number, "the file ends in it" if at_end else error.msg) from error
    except RecursionError as error:
        raise _broken(file, number, "it is nested too deep") from error
    else:
        if end < len(text) or ended:
            return end
    if len(text) - start > LINE_BYTES:
        raise _broken(file, number, f"longer than {LINE_BYTES // 2**20} MiB")
    return None


def _broken(file: Path, number: int, reason: str) -> DataError:
    return DataError(
        f"{file}: cannot be read: broken JSON at object {number:,} ({reason}). Put a whole file in its place; "
        "of a file with one object per line, only the broken lines are left out."
    )


def parse_json(line: bytes) -> Row | str:
    """Return the row that a line holds, or the reason why it holds none."""
    reason = "broken JSON: a number of thousands of digits"
    try:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            reason = f"broken JSON: {error.msg}"
            # orjson refuses lone surrogates, NaN and infinite numbers, which others write
            row = _replace_surrogates(json.loads(line.decode("utf-8")))
        else:
            if isinstance(row, dict) and _has_rounded(row):
                row = json.loads(line)  # orjson rounds whole numbers over 64 bits; ids must stay what they are
    except UnicodeDecodeError:
        return INVALID_UTF_8
    except (ValueError, RecursionError):
        return reason
    if b'"$' in line:
        row = _without_types(row)
    return row if isinstance(row, dict) else "not a JSON object"


def _without_types(value: Any) -> Any:
    """Return values without the types that MongoDB writes around them: 5 for ``{"$numberInt": "5"}``."""
    if isinstance(value, list):
        return [_without_types(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in _TYPES:
        return _without_types(value[name])
    return {name: _without_types(item) for name, item in value.items()}


def _has_rounded(row: Row) -> bool:
    for value in row.values():  # noqa: SIM110 a generator takes twice as long, and this is asked of every row
        if type(value) is float and abs(value) >= 2.0**63:
            return True
    return False


def _replace_surrogates(value: Any) -> Any:
    """Replace lone surrogates, which JSON can write and UTF-8 cannot, by U+FFFD, however deep they are."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_replace_surrogates(name): _replace_surrogates(item) for name, item in value.items()}
    return value
