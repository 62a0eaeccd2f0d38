"""Step `extract`: raw rows become typed messages, joined with what is known of their user and business."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pandas as pd

from batch_nlp.config import ColumnsConfig
from batch_nlp.dataset.side_tables import SideTables
from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.raw import SOURCE_FILE, SOURCE_LINE

_UNPARSABLE = object()


def _as_text(value: Any) -> Any:
    """Return text and numbers as text, nothing as None; anything else cannot be one."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or value != value:  # NaN is not equal to itself
        return None
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else _UNPARSABLE


def _as_target(value: Any) -> Any:
    """Return a target as text, a whole number without its decimals: 4, 4.0 and "4.0" are all "4"."""
    text = _as_text(value)
    if not isinstance(text, str):
        return text
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    return str(int(number)) if number.is_integer() else text.strip()


def _text_hash(text: Any) -> str | None:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest() if isinstance(text, str) else None


class Extract(StatelessStep):
    """Turn raw rows into messages.

    Parameters
    ----------
    columns : ColumnsConfig
        Names of the source columns.
    side_tables : SideTables
        What is known of users and businesses.
    ledger : Ledger
        Takes rows with a value that cannot be read.
    """

    def __init__(self, columns: ColumnsConfig, side_tables: SideTables, ledger: Ledger) -> None:
        self.columns = columns
        self.side_tables = side_tables
        self.ledger = ledger

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages whose values can be read.

        Parameters
        ----------
        X : DataFrame
            Raw rows: object columns, `source_file` and `source_line`.

        Returns
        -------
        DataFrame
            `message_id`, `user_id`, `business_id`, `text`, `text_hash`, `written_at` (UTC, microseconds), `target`
            (text, None where there is no label yet), `user_since` (UTC), `user_elite`, `user_review_count`,
            `business_categories`, `source_file`, `source_line`.
        """
        source = {
            name: X[column] if column in X else pd.Series(None, index=X.index, dtype=object)
            for name, column in (
                (name, getattr(self.columns, name)) for name in ("message_id", "user_id", "business_id", "text")
            )
        }
        messages = pd.DataFrame(
            {name: pd.Series([_as_text(value) for value in values], X.index, object) for name, values in source.items()}
        )
        # a bare number is read like its digits, never as seconds since some epoch
        dates = (
            X[self.columns.date]
            .map(lambda value: str(value) if isinstance(value, int | float) and value == value else value)
            .astype(object)
        )
        messages["written_at"] = pd.to_datetime(dates, format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
        target = X[self.columns.target] if self.columns.target in X else pd.Series(None, index=X.index, dtype=object)
        messages["target"] = pd.Series([_as_target(value) for value in target], X.index, object)
        messages[SOURCE_FILE], messages[SOURCE_LINE] = X[SOURCE_FILE], X[SOURCE_LINE]

        unreadable = {
            getattr(self.columns, name): messages[name].map(lambda value: value is _UNPARSABLE).astype(bool)
            for name in ("message_id", "user_id", "business_id", "text", "target")
        }
        unreadable[self.columns.date] = messages["written_at"].isna() & dates.notna()
        rejected = pd.Series(False, index=X.index)
        for column, mask in unreadable.items():
            rows = X[mask & ~rejected]
            if len(rows):
                raw = rows.rename(columns={self.columns.message_id: "message_id"})
                self.ledger.quarantine(raw, "extract", f"{column} cannot be read", column, rows[column])
            rejected |= mask
        messages = messages[~rejected]
        messages.insert(
            4, "text_hash", pd.Series([_text_hash(text) for text in messages["text"]], messages.index, object)
        )
        return messages.join(self.side_tables.look_up(messages))
