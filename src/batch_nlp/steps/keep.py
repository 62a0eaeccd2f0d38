"""Step `keep`: copy the messages at this point of the pipeline to a data layer."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from batch_nlp.steps.base import StatelessStep


class Keep(StatelessStep):
    """Copy the messages to a layer, if the run keeps layers.

    Parameters
    ----------
    layer : {"intermediate", "primary"}
        Name of the layer.
    keep : callable, optional
        Receives the name of the layer and the messages.
    """

    def __init__(self, layer: str, keep: Callable[[str, pd.DataFrame], None] | None = None) -> None:
        self.layer = layer
        self.keep = keep

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages unchanged."""
        if self.keep is not None:
            self.keep(self.layer, X)
        return X
