"""Step `remove_duplicates`: each message once, whatever batch or file it comes in again."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.known import KnownMessages, Seen
from batch_nlp.storage.ledger import Ledger


class RemoveDuplicates(StatelessStep):
    """Leave out messages that are known.

    Parameters
    ----------
    known : KnownMessages
        What the store and the run have seen.
    ledger : Ledger
        Takes the account, and messages whose id belongs to another text.
    take_labels : callable, optional
        Takes the messages with a label that is theirs, known ones too: a label belongs to its text, so one that came
        with another text under the same id is not that message's.
    """

    def __init__(
        self,
        known: KnownMessages | None = None,
        ledger: Ledger | None = None,
        take_labels: Callable[[pd.DataFrame], None] | None = None,
    ) -> None:
        self.known = known
        self.ledger = ledger
        self.take_labels = take_labels

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages that were not seen before, in their order.

        The first message that keeps its contract is the one that goes on: `validate` comes before. Without an id or a
        text nothing can be a duplicate.
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
