"""Step `validate`: messages that break their contract go to quarantine, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from batch_nlp.config import FiltersConfig
from batch_nlp.contracts import message_contract
from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.ledger import Ledger


class Validate(StatelessStep):
    """Check each message against the contract and the filters.

    Parameters
    ----------
    targets : sequence of str
        Values that the target may have.
    filters : FiltersConfig
        Which messages to leave out although their values are valid.
    ledger : Ledger
        Takes the messages that are left out.
    """

    def __init__(self, targets: Sequence[str], filters: FiltersConfig, ledger: Ledger) -> None:
        self.targets = targets
        self.filters = filters
        self.ledger = ledger

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages that keep the contract; the columns stay as they are."""
        valid = X.drop(index=self._contract_failures(X))
        if self.filters.non_empty_text:
            valid = self._leave_out(valid, valid["text"].str.strip().eq(""), "filter: empty text", "text")
        if self.filters.users_with_reviews:
            empty = valid["user_review_count"].eq(0)
            valid = self._leave_out(valid, empty, "filter: user without reviews", "user_review_count")
        return valid

    def _contract_failures(self, X: pd.DataFrame) -> list[Any]:
        from pandera.errors import SchemaErrors

        try:
            message_contract(self.targets).validate(X, lazy=True)
        except SchemaErrors as error:
            cases = error.failure_cases.dropna(subset=["index"]).drop_duplicates("index")
            if len(cases) == 0:  # not about rows: the frame itself is not what the steps before promise
                raise
            for (column, check), group in cases.groupby(["column", "check"], sort=False):
                rows = X.loc[group["index"].astype(X.index.dtype)]
                reason = f"{column} is missing" if check == "not_nullable" else str(check)
                self.ledger.quarantine(rows, "validate", reason, str(column), rows[column])
            return list(cases["index"].astype(X.index.dtype))
        return []

    def _leave_out(self, X: pd.DataFrame, mask: pd.Series[bool], reason: str, column: str) -> pd.DataFrame:
        rows = X[mask]
        if len(rows):
            self.ledger.quarantine(rows, "validate", reason, column, rows[column])
        return X[~mask]
