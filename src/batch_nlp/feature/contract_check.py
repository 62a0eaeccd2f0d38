"""Check whether rows are valid messages without ingesting them: run only the steps up to `validate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from batch_nlp.config import Config, Role
from batch_nlp.dataset.labels import Labels
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import build_contract, read_columns
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.quarantine import SOURCE_FILE, SOURCE_LINE
from batch_nlp.storage.raw.lines import Row
from batch_nlp.storage.raw.nested_json import unwrap


class _Reasons(Ledger):
    """A ledger that only notes why each row is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, str] = {}

    def quarantine(self, rows: pd.DataFrame, step: str, reason: str, column: str, values: pd.Series[Any]) -> None:
        self.found |= dict.fromkeys(rows.index, reason)


def broken_rows(config: Config, definition: FeatureDefinition, rows: Sequence[Row], labels: bool) -> dict[int, str]:
    """Return the rows that break the message contract: position -> reason.

    Whether an id belongs to another text is checked only when the rows are ingested. A row with only an id and a label
    is not a message, and passes; `labels` says whether labels are read.
    """
    columns, named = read_columns(config, definition), Labels(config.dataset.label)
    plain = [unwrap(row, config.dataset.messages.rows) for row in rows]
    names = [name for name, column in columns.items() if column.role is not Role.ignore]
    content = {name for name in names if columns[name].role is not Role.id}
    alone = {
        place
        for place, row in enumerate(plain)
        if labels and any(name in row for name in named.columns) and content.isdisjoint(row)
    }
    group = [definition.group] if definition.group else []
    wanted = dict.fromkeys([*names, *named.columns, *group])
    data: dict[str, Any] = {name: pd.Series([row.get(name) for row in plain], dtype=object) for name in wanted}
    frame = pd.DataFrame(data | {SOURCE_FILE: "", SOURCE_LINE: 0}, index=range(len(plain)))
    ledger = _Reasons()
    build_contract(config, definition, ledger, named if labels else None).transform(frame)
    return {place: reason for place, reason in ledger.found.items() if place not in alone}
