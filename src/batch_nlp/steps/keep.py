"""Step `keep`: copy the messages at this point of the pipeline to a data layer."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from batch_nlp.steps.base import StatelessStep


class Keep(StatelessStep):
    """Hand the messages to `keep` for a layer, ``intermediate`` or ``primary``, if the run keeps layers."""

    def __init__(self, layer: str, keep: Callable[[str, pd.DataFrame], None] | None = None) -> None:
        self.layer = layer
        self.keep = keep

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages unchanged."""
        if self.keep is not None:
            self.keep(self.layer, X)
        return X
