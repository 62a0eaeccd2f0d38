"""Step `keep`: hands the messages of this point of the pipeline to a data layer, and lets them pass."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from batch_nlp.steps.base import StatelessStep


class Keep(StatelessStep):
    """Keep the messages in a layer; where a run keeps none, they only pass.

    Parameters
    ----------
    layer : {"intermediate", "primary"}
        Which layer.
    keep : callable, optional
        Takes the name of the layer and the messages.
    """

    def __init__(self, layer: str, keep: Callable[[str, pd.DataFrame], None] | None = None) -> None:
        self.layer = layer
        self.keep = keep

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages as they came."""
        if self.keep is not None:
            self.keep(self.layer, X)
        return X
