"""Check whether the first line of a CSV is a header or data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from batch_nlp.dataset.conversion import as_number
from batch_nlp.errors import DataError
from batch_nlp.onboarding.column_profiles import ColumnProfile, profiles
from batch_nlp.storage.raw.column_checks import column_names
from batch_nlp.storage.raw.file_names import kind_of
from batch_nlp.storage.raw.formats import CSV
from batch_nlp.storage.raw.lines import Row


def check_headers(read: Sequence[tuple[Path, list[Row]]], named: set[str], twice: set[Path]) -> None:
    """Refuse a CSV whose first line is data; the message must not quote the line."""
    for file, rows in read:
        columns = profiles(rows)
        if kind_of(file) not in CSV or not named.isdisjoint(column_names(rows)):
            continue
        if data := like_data(columns, file in twice):
            raise DataError(
                f"{file}: the first line seems to be data ({data} of {len(columns)} cells, not shown). Add a header "
                "line with the column names. If the line is the header, name the column of the text: init.text=COLUMN."
            )


def like_data(columns: Sequence[ColumnProfile], twice: bool = False) -> int:
    """Return how many column names look like data: equal to one of the column's values, or mostly numbers.

    A column may be named like one of its classes (``spam``), so if any name is typical of a role, all are names.
    `twice` says that the first line is repeated as a row.
    """
    are_names = any(column.is_called_for_a_role for column in columns)
    data = [not are_names and (twice or column.name in map(str, column.there)) for column in columns]
    numbers = [not np.isnan(as_number(column.name)) for column in columns]
    return sum(data) or (sum(numbers) if 2 * sum(numbers) > len(columns) else 0)
