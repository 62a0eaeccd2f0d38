"""What to say in a dataset's file so that times are read which are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.columns import declared, names_of, pasted
from batch_nlp.dataset.values import ISO, OR
from batch_nlp.errors import printable


def how_times_are_written(
    columns: Mapping[str, ColumnConfig], of_messages: bool, name: str, values: Sequence[Any], others: bool = False
) -> str:
    """Return what would read the values of a column of times, in sentences.

    Parameters
    ----------
    columns : mapping of str to ColumnConfig
    of_messages : bool
        Whether they are those of the messages, which settings of the command line can change.
    name : str
        Of the column.
    values : sequence
        That are not read.
    others : bool
        Whether others are read, and are to be so.
    """
    from batch_nlp.dataset.time_forms import time_forms  # asked for in errors alone

    before = f"{columns[name].format or ISO}{OR}" if others else ""
    forms = [f"{before}{form}" for form in time_forms(values)]
    if not forms:
        return (
            "Write them as ISO 8601 in the source, such as 2022-01-31T09:15:00+01:00, or, if strptime can read them, "
            "say how: format in the role of the column."
        )
    settings = [setting for form in forms for setting in pasted(name, "format", form)] if of_messages else []
    lines = [declared(name, replace(columns[name], format=form)) for form in forms]
    lines = [f"{line} in the dataset's file" for line in (lines[:1] if settings else lines)]
    unsure = " (whichever is true: the values do not tell)" if len(forms) > 1 else ""
    return f'They are written like "{printable(values[0])}": {" or ".join([*lines, *settings])}{unsure}.'


def tell_of_times(columns: Mapping[str, ColumnConfig], quarantine: Path) -> None:
    """Log what would read the times of messages that are in quarantine for them.

    Parameters
    ----------
    columns : mapping of str to ColumnConfig
        Of the messages.
    quarantine : Path
        File of the rows; there is none where all is well.
    """
    times = names_of(columns, Role.time)
    if not times or not quarantine.exists():
        return
    rows = pq.read_table(quarantine, columns=["step", "column", "value"], page_checksum_verification=True)
    rows = rows.filter(pc.equal(rows["step"], "extract"))
    for name in times:
        if values := rows.filter(pc.equal(rows["column"], name))["value"].to_pylist():
            advice = how_times_are_written(columns, True, name, values, others=True)
            logger.warning("{:,} times of column {} cannot be read. {}", len(values), printable(name), advice)
