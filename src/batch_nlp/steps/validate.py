"""Step `validate`: quarantine messages that break the contract, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pandas as pd

from batch_nlp.errors import examples
from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.ledger import Ledger

_EARLIEST, _LATEST = pd.Timestamp("1990-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC")


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
        valid = pd.Series(True, index=X.index)
        for column, reason, wrong in self._faults(X):
            found = wrong & valid
            if found.any():
                self._quarantine(X[found], reason, column)
                valid &= ~found
        return X[valid]

    def _faults(self, X: pd.DataFrame) -> Iterator[tuple[str, str, pd.Series[bool]]]:
        """Yield column, reason and faulty rows for each check of the contract; a row counts for its first fault."""
        ids, texts, times, targets = X["message_id"], X["text"], X["written_at"], X["target"]
        yield "message_id", "message_id is missing", ids.isna()
        yield "message_id", "id is empty or longer than 256 characters", ~ids.str.len().between(1, 256)
        yield "message_id", "id has control characters", ids.str.contains(r"[\x00-\x1f\x7f]", na=False)
        yield "text", "text is missing", texts.isna()
        if self.timed:
            yield "written_at", "written_at is missing", times.isna()
        outside = times.notna() & ~times.between(_EARLIEST, _LATEST)
        yield "written_at", "date is not between 1990 and 2100", outside
        if self.targets is None:
            too_long = targets.notna() & ~targets.str.len().between(1, 256)
            yield "target", "label is longer than 256 characters", too_long
        else:
            unknown = targets.notna() & ~targets.isin(self.targets)
            yield "target", f"target is not one of {_listed(sorted(self.targets))}", unknown
        yield "text", "filter: empty text", texts.str.strip().eq("")

    def _quarantine(self, rows: pd.DataFrame, reason: str, column: str) -> None:
        if self.ledger is not None:
            self.ledger.quarantine(rows, "validate", reason, column, rows[column])


def _listed(targets: list[str]) -> str:
    return examples(targets) + (f", ... ({len(targets)} in all)" if len(targets) > 5 else "")
