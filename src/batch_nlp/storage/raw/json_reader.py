"""JSON as numbered rows: one object per line, or objects over several lines, in sequence or in an array."""

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
# An array of objects, an empty array, or an object that spans several lines
_NOT_LINES = re.compile(
    rb"(?:\s*[A-Za-z_][\w.]*(?: \w+)?\s*=)?\s*(?:\[\s*(?:[{\]]|$)|\{[^\n]*(?:(?<=\[)\s*\n|(?<=[{,:])\s*\n(?!\s*\{)))"
)
_BETWEEN = re.compile(r"[\s,;\ufeff]*")
# A JavaScript assignment before the JSON, as in Twitter's archives
_ASSIGNED = re.compile(r"\s*[A-Za-z_][\w.]*(?: \w+)?\s*=\s*")
# A parse error this close to the end of the buffer may vanish once more is read
_WORD = len("-Infinity")
# Type wrappers of MongoDB's extended JSON; the value is readable without them
_TYPES = frozenset(
    {"$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$uuid", "$symbol"}
)
# Only finds where a value ends, so numbers stay text
_BOUNDS = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)


def json_rows(file: Path, binary: IO[bytes]) -> Iterator[Numbered]:
    """Yield the rows of a JSON file in UTF-8.

    Raises a `DataError` if an object that spans several lines, or is in an array, does not end.
    """
    return _spread_rows(file, binary) if is_spread(binary) else _line_rows(read_lines(binary))


def is_spread(binary: IO[bytes]) -> bool:
    """Say whether an unread JSON file has objects over several lines or in an array."""
    return bool(_NOT_LINES.match(cast("Any", binary).peek(_CHUNK_BYTES)))


def _line_rows(lines: Iterator[Line]) -> Iterator[Numbered]:
    for line in lines:
        number, content, whole = line
        if not whole:
            yield Numbered(number, too_long(line), KEPT_BYTES)
            continue
        # concatenated files have byte order marks in the middle too
        stripped = content.removeprefix(BYTE_ORDER_MARK).strip()
        if stripped:
            row = parse_json(stripped)
            if isinstance(row, str) and stripped.endswith(b"},"):  # an array without its brackets
                row = parse_json(stripped[:-1])
            found = BrokenRow(number, row, shown(stripped)) if isinstance(row, str) else row
            yield Numbered(number, found, len(content))


def _spread_rows(file: Path, binary: IO[bytes]) -> Iterator[Numbered]:
    """Yield objects over several lines or in arrays, numbered by position; holds one object in memory."""
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
            # read twice as much each time, so that a long value is not scanned too often
            chunk = binary.read(max(_CHUNK_BYTES, len(text) - position))
            ended = not chunk
            text, position = text[position:] + decoder.decode(chunk, ended), 0
        elif in_array:
            raise _broken(file, number + 1, "the file ends before its array does")
        else:
            return


def _end_of_value(file: Path, text: str, start: int, number: int, ended: bool) -> int | None:
    """Return where a JSON value ends, None if more must be read; raise a `DataError` if it cannot end."""
    try:
        end = _BOUNDS.raw_decode(text, start)[1]
    except json.JSONDecodeError as error:
        at_end = error.msg.startswith("Unterminated string") or error.pos >= len(text) - _WORD
        if ended or not at_end:
            raise _broken(file, number, "the file ends in it" if at_end else error.msg) from error
    except RecursionError as error:
        raise _broken(file, number, "nested too deeply") from error
    else:
        if end < len(text) or ended:
            return end
    if len(text) - start > LINE_BYTES:
        raise _broken(file, number, f"longer than {LINE_BYTES // 2**20} MiB")
    return None


def _broken(file: Path, number: int, reason: str) -> DataError:
    return DataError(
        f"{file}: cannot be read: broken JSON at object {number:,} ({reason}). Replace the file by a complete one, or "
        "write one object per line: then only broken lines are left out."
    )


def parse_json(line: bytes) -> Row | str:
    """Return a line's row, or the reason why it is broken."""
    reason = "broken JSON: a number of thousands of digits"
    try:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            reason = f"broken JSON: {error.msg}"
            # other programs write lone surrogates, NaN and infinities, which orjson refuses
            row = _replace_surrogates(json.loads(line.decode("utf-8")))
        else:
            if isinstance(row, dict) and _has_rounded(row):
                row = json.loads(line)  # orjson rounds integers over 64 bits, but ids must stay exact
    except UnicodeDecodeError:
        return INVALID_UTF_8
    except (ValueError, RecursionError):
        return reason
    if b'"$' in line:
        row = _without_types(row)
    return row if isinstance(row, dict) else "not a JSON object"


def _without_types(value: Any) -> Any:
    """Remove MongoDB's type wrappers: ``{"$numberInt": "5"}`` becomes 5."""
    if isinstance(value, list):
        return [_without_types(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in _TYPES:
        return _without_types(value[name])
    return {name: _without_types(item) for name, item in value.items()}


def _has_rounded(row: Row) -> bool:
    for value in row.values():  # noqa: SIM110 called for every row, and a generator takes twice as long
        if type(value) is float and abs(value) >= 2.0**63:
            return True
    return False


def _replace_surrogates(value: Any) -> Any:
    """Replace lone surrogates, which JSON can express and UTF-8 cannot, by U+FFFD at any depth."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_replace_surrogates(name): _replace_surrogates(item) for name, item in value.items()}
    return value
