"""Which messages a model learns from, and which are held out."""

from __future__ import annotations

import pandas as pd
from sklearn.model_selection import train_test_split

from batch_nlp.config import Split
from batch_nlp.errors import DataError


def split_messages(
    messages: pd.DataFrame, labels: pd.Series[int], split: Split, holdout: float, window: int, seed: int
) -> tuple[pd.Index[int], pd.Index[int]]:
    """Return the index of the training rows and of the held-out rows.

    Parameters
    ----------
    messages : DataFrame, shape (n, ...)
        Ordered by time of writing.
    labels : Series of int, shape (n,)
        Classes, for the stratified draw.
    split : Split
        ``time`` holds out the newest rows, ``random`` a stratified draw.
    holdout : float
        Share of the rows that is held out.
    window : int
        How many windows of that share lie between the held-out one and the newest row, for a split by time.
    seed : int
        Seed of the draw.
    """
    if split is Split.time:
        size = round(holdout * len(messages))
        end = len(messages) - window * size
        if end <= size:
            raise DataError(
                f"training.window={window}: nothing is left to train on before the held-out window, with "
                f"training.holdout={holdout} of {len(messages):,} labelled messages. Lower one of them."
            )
        return messages.index[: end - size], messages.index[end - size : end]
    train, held_out = train_test_split(
        messages.index.to_numpy(), test_size=holdout, random_state=seed, stratify=labels.to_numpy()
    )
    return pd.Index(train).sort_values(), pd.Index(held_out).sort_values()


def rows_at(messages: pd.DataFrame, index: pd.Index[int]) -> pd.DataFrame:
    """Return the rows of a part; texts of rows that follow one another are not copied.

    Parameters
    ----------
    messages : DataFrame, shape (n, ...)
    index : Index
        Of the part.
    """
    if len(index):
        start = messages.index.get_indexer(index[:1])[0]
        if messages.index[start : start + len(index)].equals(index):
            return messages.iloc[start : start + len(index)]
    return messages.loc[index]


def check_classes(labels: pd.Series[int], classes: list[str], least: int, part: str) -> None:
    """Stop before a model is trained or measured without one of its classes.

    Parameters
    ----------
    labels : Series of int
        Class of each message.
    classes : list of str
        Names of the classes.
    least : int
        Messages that each class must have.
    part : str
        Which messages these are, for the error.

    Raises
    ------
    DataError
        If a class has fewer; the message names all that do.
    """
    counts = labels.value_counts()
    short = [
        f"{name} ({index}) has {counts.get(index, 0)}"
        for index, name in enumerate(classes)
        if counts.get(index, 0) < least
    ]
    if short:
        raise DataError(
            f"Each class needs at least {least} {part}; class {', class '.join(short)}. "
            "Bring more labelled messages, or lower training.min_class_messages."
        )
