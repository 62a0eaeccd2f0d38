"""Step `remove_duplicates`: keep each message once, across batches and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.known import KnownMessages, Seen
from batch_nlp.storage.ledger import Ledger


@dataclass(eq=False, repr=False)
class RemoveDuplicates(StatelessStep):
    """Drop messages that the store or this run knows.

    The ledger counts duplicates, and receives messages whose id belongs to another text. `take_labels` receives
    messages with a label, known ones included, but not those whose id belongs to another text.
    """

    known: KnownMessages | None = None
    ledger: Ledger | None = None
    take_labels: Callable[[pd.DataFrame], None] | None = None

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the new messages in order.

        The first valid message counts, since `validate` comes before. A message without an id or a text is never a
        duplicate.
        """
        if self.known is None or self.ledger is None:
            return X
        complete = X["message_id"].notna() & X["text_hash"].notna()
        candidates = X[complete]
        seen = pd.Series(self.known.look_up(candidates["message_id"], candidates["text_hash"]), candidates.index)
        self.ledger.known += int((seen == Seen.STORED).sum())
        self.ledger.duplicates += int((seen == Seen.REPEATED).sum())
        if self.take_labels is not None:
            self.take_labels(candidates[candidates["target"].notna() & (seen != Seen.CONFLICT)])
        conflicts = candidates[seen == Seen.CONFLICT]
        if len(conflicts):
            self.ledger.quarantine(
                conflicts,
                "remove_duplicates",
                "id belongs to another text",
                "message_id",
                conflicts["message_id"],
            )
        return X[~complete | seen.eq(Seen.NEW).reindex(X.index, fill_value=False)]
