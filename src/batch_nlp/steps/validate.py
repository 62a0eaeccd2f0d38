"""Step `validate`: quarantine messages that break the contract, with the reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from batch_nlp.errors import examples
from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.ledger import Ledger

if TYPE_CHECKING:
    import pandera.pandas as pa_check


def message_contract(targets: Collection[str] | None, timed: bool) -> pa_check.DataFrameSchema:
    """Return the contract of extracted messages, which applies to each row separately.

    Messages without a target are unlabelled. If `timed`, every message must have a time.
    """
    # imported late: it takes half a second, and most runs check nothing
    import pandera.pandas as pa_check

    target = pa_check.Check.str_length(1, 256, error="label is longer than 256 characters")
    if targets is not None:
        known = sorted(targets)
        target = pa_check.Check.isin(known, error=f"target is not one of {_listed(known)}")
    return pa_check.DataFrameSchema(
        {
            "message_id": pa_check.Column(
                object,
                [
                    pa_check.Check.str_length(1, 256, error="id is empty or longer than 256 characters"),
                    pa_check.Check.str_matches(r"[^\x00-\x1f\x7f]+\Z", error="id has control characters"),
                ],
            ),
            "text": pa_check.Column(object),
            "written_at": pa_check.Column(
                "datetime64[us, UTC]",
                pa_check.Check.in_range(
                    "1990-01-01T00:00:00Z", "2100-01-01T00:00:00Z", error="date is not between 1990 and 2100"
                ),
                nullable=not timed,
            ),
            "target": pa_check.Column(object, target, nullable=True),
        },
        strict=False,
    )


def _listed(targets: list[str]) -> str:
    return examples(targets) + (f", ... ({len(targets)} in all)" if len(targets) > 5 else "")


@dataclass(eq=False, repr=False)
class Validate(StatelessStep):
    """Check each message against the contract; empty texts are refused, too.

    Any target is allowed if `targets` is None. The ledger receives the invalid messages.
    """

    targets: Collection[str] | None = None
    timed: bool = True
    ledger: Ledger | None = None

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the valid messages with unchanged columns."""
        valid = X.drop(index=self._contract_failures(X))
        empty = valid["text"].str.strip().eq("")
        if empty.any():
            self._quarantine(valid[empty], "filter: empty text", "text")
        return valid[~empty]

    def _contract_failures(self, X: pd.DataFrame) -> list[Any]:
        from pandera.errors import SchemaErrors

        try:
            message_contract(self.targets, self.timed).validate(X, lazy=True)
        except SchemaErrors as error:
            cases = error.failure_cases.dropna(subset=["index"]).drop_duplicates("index")
            if len(cases) == 0:  # not about rows: a bug in an earlier step
                raise
            for (column, check), group in cases.groupby(["column", "check"], sort=False):
                rows = X.loc[group["index"].astype(X.index.dtype)]
                reason = f"{column} is missing" if check == "not_nullable" else str(check)
                self._quarantine(rows, reason, str(column))
            return list(cases["index"].astype(X.index.dtype))
        return []

    def _quarantine(self, rows: pd.DataFrame, reason: str, column: str) -> None:
        if self.ledger is not None:
            self.ledger.quarantine(rows, "validate", reason, column, rows[column])
