"""Whether the first line of a CSV names its columns, or is a message."""

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
    """Refuse a CSV whose columns are called after its first message, which must not be quoted."""
    for file, rows in read:
        columns = profiles(rows)
        if (
            kind_of(file) in CSV
            and named.isdisjoint(column_names(rows))
            and (data := like_data(columns, file in twice))
        ):
            raise DataError(
                f"{file}: its first line seems to be a row of data (by {data} of its {len(columns)} cells, which are "
                "not shown): put a line with the names of the columns before it. If these are the names, say which of "
                "them is the text: init.text=COLUMN."
            )


def like_data(columns: Sequence[ColumnProfile], twice: bool = False) -> int:
    """Return how many columns have a name that is data: one of their own values or, of most, a number.

    A class can be called like its column, as in ``spam``: where any column is called for its role, all are names.

    Parameters
    ----------
    columns : sequence of ColumnProfile
    twice : bool
        Whether a row has all the names as its values; it is not in the columns.
    """
    are_names = any(column.is_called_for_a_role for column in columns)
    data = [not are_names and (twice or column.name in map(str, column.there)) for column in columns]
    numbers = [not np.isnan(as_number(column.name)) for column in columns]
    return sum(data) or (sum(numbers) if 2 * sum(numbers) > len(columns) else 0)
