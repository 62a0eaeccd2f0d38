"""Open raw files as UTF-8 bytes, whatever their compression and encoding."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.file_names import packing_of
from batch_nlp.storage.raw.lines import REQUEUED_PART

# UTF-32 comes before UTF-16, since its marks begin with those of UTF-16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Signatures of binary files
_SIGNATURES = (
    (b"PK\x03\x04", "a zip file (.xlsx files are zip files): unpack it, or save the table as CSV"),
    (b"PK\x05\x06", "an empty zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Office document: save the table as CSV"),
    (b"\x1f\x8b", "a gzip file: rename it to end in .gz"),
    (b"\x28\xb5\x2f\xfd", "a zstd file: rename it to end in .zst"),
    (b"BZh", "a bzip2 file: unpack it"),
    (b"\xfd7zXZ", "an xz file: unpack it"),
    (b"7z\xbc\xaf", "a 7z file: unpack it"),
    (b"PAR1", "a parquet file: rename it to end in .parquet"),
    (b"Obj\x01", "an Avro file: convert it to parquet"),
    (b"ORC", "an ORC file: convert it to parquet"),
    (b"ARROW1", "an Arrow file: convert it to parquet"),
    (b"%PDF", "a PDF: save its content as CSV"),
    (b"SQLite format 3", "an SQLite database: export the table as CSV"),
)
# Errors of a file that is not compressed although its name says so
_NOT_PACKED = ("Not a gzipped file", "Unknown frame descriptor")
_CHUNK_BYTES = 1 << 16
LINKS = "Put the file itself there. If everyone who can write there is trusted, set dataset.follow_links=true."
# Drop folder -> its path without links
_CONFINED: dict[Path, Path] = {}
_INVALID = "\udcff"


@dataclass(frozen=True)
class TextForm:
    """Separator and encoding of text files, unless a file declares its own.

    Without a separator, each file's own is detected; without an encoding, files without a byte order mark are UTF-8.
    """

    separator: str | None = None
    encoding: str | None = None


DETECTED = TextForm()


def has_mark(start: bytes) -> bool:
    """Say whether a text file begins with a byte order mark."""
    return start.startswith(tuple(mark for mark, _ in _MARKS))


@contextmanager
def unpacked(file: Path) -> Iterator[IO[bytes]]:
    """Open a file, decompressed according to its name; raise a `DataError` if it cannot be read, also later on."""
    try:
        with open_raw(file) as content, decompressed(content, packing_of(file.name)) as binary:
            yield binary
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        plain = any(sign in str(error) for sign in _NOT_PACKED)
        otherwise = f", or remove {packing_of(file.name)} from its name if it is not compressed" if plain else ""
        raise DataError(f"{file}: cannot be read ({error}). Replace it by a complete file{otherwise}.") from error


def decompressed(content: IO[bytes], packing: str) -> IO[bytes]:
    """Return the content of an open file, decompressed by the given ending."""
    if packing == ".gz":
        # a GzipFile is a binary file, although its stub does not say so
        return cast("IO[bytes]", gzip.open(content, "rb"))
    if packing == ".zst":
        return io.BufferedReader(
            cast("Any", pa.CompressedInputStream(pa.PythonFile(content, "r"), "zstd")), _CHUNK_BYTES
        )
    return content


def confine(folder: Path, follow_links: bool) -> None:
    """Let this process open only files that lie in a drop folder, or, with `follow_links`, any file.

    Anyone who can write there may replace a file by a link at any moment, even after it was checked.
    """
    if follow_links:
        _CONFINED.pop(folder, None)
    else:
        _CONFINED[folder] = folder.resolve()


@contextmanager
def open_raw(file: Path) -> Iterator[IO[bytes]]:
    """Open a raw file unchanged; every reader of drop folders uses this function.

    Raises a `DataError` if it is not a regular file, or lies outside the folder that it is confined to; an `OSError` if
    it cannot be opened.
    """
    # without O_NONBLOCK, a pipe would block the run
    with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as binary:
        found = os.fstat(binary.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{file}: cannot be read: it is not a regular file. Replace it by one.")
        root = next((_CONFINED[folder] for folder in file.parents if folder in _CONFINED), None)
        there = file if root is None else file.resolve()
        if root and not (there.is_relative_to(root) and os.path.samestat(found, there.stat(follow_symlinks=False))):
            raise DataError(f"{file}: a symbolic link leads out of the folder, or has just replaced the file. {LINKS}")
        yield binary


def raw_hash(file: Path) -> str:
    """Return the SHA-256 of a raw file's bytes; see `open_raw` for errors."""
    with open_raw(file) as binary:
        return hashlib.file_digest(cast("io.BufferedReader", binary), "sha256").hexdigest()


@contextmanager
def opened(file: Path, form: TextForm = DETECTED) -> Iterator[IO[bytes]]:
    """Open a text file as UTF-8 without a byte order mark and with line feeds; undecodable bytes stay invalid.

    A UTF-8 file is read as UTF-8 whatever encoding is set, since another encoding would garble it. Raises a `DataError`
    if the file cannot be read, or is not text.
    """
    with unpacked(file) as binary:
        start = cast("io.BufferedReader", binary).peek(16)[:16]
        if what := _content(start):
            if packing_of(file.name):
                what = what.replace("rename it", "unpack it, and rename it")
            raise DataError(f"{file}: cannot be read: the content is {what}.")
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), None)
        if encoding is None and form.encoding and REQUEUED_PART not in file.name:
            encoding = "utf-8" if _is_utf_8(file) else form.encoding
        if encoding is None and (order := _order_of_utf_16(start)):
            raise DataError(
                f"{file}: cannot be read: it seems to be UTF-16 without a byte order mark. Set "
                f"dataset.messages.encoding=utf-16-{order}."
            )
        if encoding is None or codecs.lookup(encoding).name == "utf-8":
            plain = binary
        else:
            plain = io.BufferedReader(_Recoded(binary, encoding), _CHUNK_BYTES)
        start = cast("io.BufferedReader", plain).peek(_CHUNK_BYTES)
        while start.startswith(codecs.BOM_UTF8):  # there may be several
            start = start.removeprefix(plain.read(len(codecs.BOM_UTF8)))
        returns_alone = b"\r" in start[:-1] and b"\n" not in start
        yield io.BufferedReader(_LineFeeds(plain), _CHUNK_BYTES) if returns_alone else plain


def _content(start: bytes) -> str | None:
    return next((what for signature, what in _SIGNATURES if start.startswith(signature)), None)


def unknown_ending(file: Path) -> str:
    """Return what to do with a file of unknown extension; raise a `DataError` if it cannot be read."""
    with unpacked(file) as binary:
        what = _content(binary.read(16))
    return (
        f"The content is {what}."
        if what
        else "If it is text, rename it to end in .csv for a table, otherwise in .json."
    )


def _is_utf_8(file: Path) -> bool:
    """Say whether a file is valid UTF-8 beyond ASCII, as text in other encodings hardly ever is."""
    decoder, plain = codecs.getincrementaldecoder("utf-8")(), True
    with unpacked(file) as binary:
        try:
            while chunk := binary.read(_CHUNK_BYTES):
                plain = decoder.decode(chunk).isascii() and plain
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return not plain


def _order_of_utf_16(start: bytes) -> str | None:
    """Return the byte order of likely UTF-16 text: every other byte is small, as in Latin, Greek or Cyrillic."""
    first, second = start[::2], start[1::2]
    orders = [order for order, bytes_ in (("be", first), ("le", second)) if bytes_ and max(bytes_) < ord("\t")]
    if len(orders) != 1 or b"\0" in (first if orders == ["le"] else second).strip(b"\0"):
        return None
    return orders[0]


class _LineFeeds(io.RawIOBase):
    """A file with carriage returns replaced by line feeds."""

    def __init__(self, binary: IO[bytes]) -> None:
        self._binary = binary

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._binary.read(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(content)] = content
        return len(content)


class _Recoded(io.RawIOBase):
    """Hands a file over in UTF-8."""

    def __init__(self, binary: IO[bytes], encoding: str) -> None:
        codecs.register_error("batch_nlp.invalid", lambda error: (_INVALID, cast("UnicodeDecodeError", error).end))
        self._text = io.TextIOWrapper(binary, encoding, "batch_nlp.invalid", newline="")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # a character takes up to four bytes in UTF-8
        content = self._text.read(len(buffer) // 4).encode("utf-8", "surrogateescape")
        buffer[: len(content)] = content
        return len(content)
