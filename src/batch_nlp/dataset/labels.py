"""From the targets of the source to the classes of the settings."""

from __future__ import annotations

import pandas as pd

from batch_nlp.config import Config
from batch_nlp.errors import DataError, examples


def class_labels(messages: pd.DataFrame, config: Config) -> pd.Series[int]:
    """Return the class of each labelled message.

    Parameters
    ----------
    messages : DataFrame, shape (n, ...)
        With a column `target`.
    config : Config
        ``dataset.target_map`` says which target belongs to which class.

    Raises
    ------
    DataError
        If a target is not in the map.
    """
    labels = messages["target"].map(dict(config.dataset.target_map))
    unknown = messages["target"][labels.isna()].unique()
    if len(unknown):
        raise DataError(
            f"{int(labels.isna().sum()):,} stored labels are none of dataset.target_map: {examples(sorted(unknown))}. "
            "Add them to the map."
        )
    return labels.astype(int)
