"""Check the columns of raw tables before any work."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from statistics import median

from loguru import logger

from batch_nlp.config import DatasetConfig, Role
from batch_nlp.dataset.expected_values import is_label
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import is_message_file, names_of, text_form
from batch_nlp.dataset.missing_columns import missing_advice
from batch_nlp.dataset.raw_tables import known_columns, raw_tables, table_form
from batch_nlp.dataset.side_tables import side_table_files, unusable_side_tables
from batch_nlp.dataset.unreadable_values import ADVISED, Readable, unreadable
from batch_nlp.errors import DataError, examples
from batch_nlp.storage.atomic import write_json
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.raw.column_checks import (
    LEAST_ROWS,
    Column,
    absent,
    column_names,
    column_problems,
    first_rows,
    has_header,
    refuse,
    type_problems,
)
from batch_nlp.storage.raw.file_names import find_files, source_name, table_name
from batch_nlp.storage.raw.lines import Row
from batch_nlp.storage.raw.separators import other_separator
from batch_nlp.storage.raw.set_aside import SetAside

# Rows of small files that are judged together; pieces of advice in one error
_TOGETHER, _ADVICE = 1000, 5
# Median number of words from which a column contains texts
_SENTENCE = 4
# Table -> the column sets that its files have had
_Layouts = dict[str, list[list[str]]]


def _seen(layers: Layers) -> _Layouts:
    try:
        found = json.loads(layers.seen_columns.read_bytes())
    except (FileNotFoundError, ValueError):  # then only required columns are checked
        return {}
    # an earlier format: a single list of names
    return {table: [kept] if kept and isinstance(kept[0], str) else kept for table, kept in found.items()}


def _usual(present: set[str], layouts: Iterable[Iterable[str]], columns: Iterable[Column]) -> set[str]:
    """Return the columns of the known layout that is nearest to a file's columns."""
    names = {name for column in columns for name in column.reads}
    known = [found for layout in layouts if (found := names.intersection(layout))]
    return min(known, key=lambda layout: (len(layout ^ (present & names)), -len(layout)), default=set())


def _problems_together(few: Sequence[tuple[Path, Row]], columns: Sequence[Column]) -> list[str]:
    """Return what is wrong with the columns of small files, which are too small to be judged alone."""
    files, rows = list(dict.fromkeys(file for file, _ in few)), [row for _, row in few]
    if len(rows) < LEAST_ROWS:
        return []
    named = f"{files[0]} and {len(files) - 1:,} other small files"
    return [problem for column in columns for problem in type_problems(named, rows, column)]


class _SchemaCheck:
    """Collects what is wrong with the columns of raw files.

    It notes errors of unreadable files (`broken`), problems with columns and advice about missing ones, message files
    without label columns (`unlabelled`) and without a readable row (`left_out`), and whether an `optional` column is
    missing.
    """

    def __init__(self, dataset: DatasetConfig, labels: bool, champion: str | None) -> None:
        self._dataset, self._read_labels, self._champion = dataset, labels, champion
        self._readable = Readable(dataset, labels)
        levels = Labels(dataset.label).levels if labels else []
        self._levels = [Column(dict.fromkeys(level, is_label), "labels") for level in levels]
        self.labels = {name for level in levels for name in level}
        self.broken, self.problems, self.unlabelled = list[str](), list[str](), list[str]()
        self.advice, self.optional, self.left_out = dict[str, None](), False, dict[Path, SetAside]()

    def check_table(
        self, table: str, files: Sequence[Path], columns: list[Column], under: str | None, layouts: list[list[str]]
    ) -> None:
        """Check the files of a table against its expected columns and the layouts of earlier files."""
        few = list[tuple[Path, Row]]()
        for file in files:
            try:
                rows = first_rows(file, under, table_form(self._dataset, table))
            except DataError as error:
                self.broken.append(str(error))
                continue
            counts = self._check_file(table, file, rows, columns, layouts)
            few += [(file, row) for row in rows] if counts and len(rows) < LEAST_ROWS and len(few) < _TOGETHER else []
        self.problems += [] if self.problems else _problems_together(few, columns)

    def _check_file(
        self, table: str, file: Path, rows: list[Row], columns: list[Column], layouts: list[list[str]]
    ) -> bool:
        """Check a file by its first rows, and return whether it is read."""
        dataset, present = self._dataset, column_names(rows)
        expected, usual = columns, _usual(present, layouts, columns)
        if table == "message" and self.labels & present:
            expected, usual = [*columns, *self._levels], usual | _usual(present, layouts, self._levels)
        elif table == "message" and self.labels and rows:
            self.unlabelled.append(source_name(file))
        wrong = column_problems(file, rows, expected, usual)
        # in a large file, the source has changed
        none = table == "message" and (len(rows) < LEAST_ROWS or not wrong) and self._readable.reads_none(rows)
        advised = len(self.left_out) < ADVISED
        if none and (found := unreadable(dataset, file, self._read_labels, self._champion, advised)):
            self.left_out[file] = found
            return False
        # rows that the condition excludes may be written in any way
        self.problems += [] if none else wrong
        known = {name for column in expected for name in column.reads}
        named_well = has_header(file, rows, known) and not other_separator(present, known)
        missing = absent(rows, expected, usual) if named_well else []
        model = self._champion if table == "message" else None
        self.advice |= dict.fromkeys(missing_advice(dataset, file, rows, missing, known_columns(dataset, table), model))
        self.optional |= not all(column.required for column in missing)
        return True


def check_schema(
    dataset: DatasetConfig,
    messages: Sequence[Path],
    inbox: Path,
    layers: Layers,
    labels: bool,
    champion: str | None = None,
) -> dict[Path, SetAside]:
    """Refuse raw files with a changed schema before any work, and return the message files without a readable row.

    The inbox may contain files of side tables, too. The messages must have the columns of the model `champion`.

    Raises
    ------
    DataError
        If a file cannot be read, or a column is missing or has another type; lists all failures of all tables.
    """
    files_of_tables = side_table_files(dataset, inbox)
    if (problem := unusable_side_tables(dataset, files_of_tables, layers)) is not None:
        raise DataError(problem)
    seen, check = _seen(layers), _SchemaCheck(dataset, labels, champion)
    for table, (files, columns, under) in raw_tables(dataset, messages, files_of_tables, champion).items():
        check.check_table(table, files, columns, under, seen.get(table, []))
    if check.unlabelled:
        what = f"No label column ({', '.join(sorted(check.labels))}) in {len(check.unlabelled)} message file(s)"
        logger.warning("{}; their labels may come later: {}", what, examples(check.unlabelled))
    broken = check.broken
    if broken and not check.problems:
        raise DataError("\n- ".join([f"{len(broken)} files cannot be read.", *broken][len(broken) == 1 :]))
    gone = [f"If the column is gone for good, remove {layers.seen_columns}."] if check.optional else []
    refuse([*broken, *check.problems], [*islice(check.advice, _ADVICE), *gone])
    return check.left_out


def remember_columns(dataset: DatasetConfig, messages: Sequence[Path], inbox: Path, layers: Layers) -> None:
    """Record the columns of ingested files: later files must have the columns of one of them."""
    seen = _seen(layers)
    if not seen:  # no record yet, or someone removed it: make it from all files
        folder = Path(dataset.raw_dir)
        there = {*messages, *find_files(folder, dataset.messages.files)}
        messages = [file for file in sorted(there) if is_message_file(table_name(file, folder), dataset)]
        messages = [file for file in messages if _holds_messages(dataset, file)]
    for table, (files, columns, under) in raw_tables(dataset, messages, side_table_files(dataset, inbox)).items():
        names = {name for column in columns for name in column.reads}
        names |= set(Labels(dataset.label).columns) if table == "message" else set()
        layouts = seen.setdefault(table, [])
        for rows in (first_rows(file, under, table_form(dataset, table)) for file in files):
            found = names & column_names(rows)
            # a small file may lack optional columns by chance
            few = len(rows) < LEAST_ROWS
            if not any(found == set(layout) or (few and found < set(layout)) for layout in layouts):
                layouts.append(sorted(found))
    write_json(layers.seen_columns, seen)


def _holds_messages(dataset: DatasetConfig, file: Path) -> bool:
    try:
        return not holds_labels_alone(dataset, file)
    except DataError:  # it is set aside and reported
        return False


def _like_texts(rows: Sequence[Row], name: str) -> bool:
    words = [len(str(value).split()) for row in rows if (value := row.get(name)) is not None]
    return bool(words) and median(words) >= _SENTENCE


def holds_labels_alone(dataset: DatasetConfig, file: Path) -> bool:
    """Say whether a file contains only labels: label columns, and ids as the only declared columns.

    A file without texts that has times, features, or texts under another name is a message file with a changed schema.
    """
    rows = first_rows(file, dataset.messages.rows, text_form(dataset.messages))
    present = column_names(rows)
    if any(_like_texts(rows, name) for name in present - known_columns(dataset, "message")):
        return False
    ids = set(names_of(dataset.messages.columns, Role.id))
    others = set(names_of(dataset.messages.columns, *(set(Role) - {Role.id, Role.ignore})))
    return bool(present & ids and present & set(Labels(dataset.label).columns)) and not present & others
