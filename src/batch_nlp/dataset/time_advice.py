"""What to say in a dataset's file so that times are read too that were put in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.expected_values import settings_of
from batch_nlp.dataset.message_columns import names_of
from batch_nlp.dataset.parse_times import ISO, OR
from batch_nlp.errors import printable


def tell_of_times(columns: Mapping[str, ColumnConfig], quarantine: Path) -> None:
    """Log what would read the times of messages that are in quarantine for them, in a form that is known.

    Parameters
    ----------
    columns : mapping of str to ColumnConfig
        Of the messages.
    quarantine : Path
        File of the rows; there is none where all is well.
    """
    from batch_nlp.dataset.time_formats import time_forms  # asked for in errors alone

    times = names_of(columns, Role.time)
    if not times or not quarantine.exists():
        return
    rows = pq.read_table(quarantine, columns=["step", "column", "value"], page_checksum_verification=True)
    rows = rows.filter(pc.equal(rows["step"], "extract"))
    for name in times:
        values = rows.filter(pc.equal(rows["column"], name))["value"].to_pylist()
        if forms := [f"{columns[name].format or ISO}{OR}{form}" for form in time_forms(values)]:
            logger.warning(
                "{:,} times of column {} cannot be read, such as {}. Read them too: {}",
                len(values),
                printable(name),
                printable(values[0]),
                settings_of(columns, True, name, forms),
            )
