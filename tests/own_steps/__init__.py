"""Feature steps of somebody else's package, for the tests of `allow`."""

from __future__ import annotations

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from batch_nlp.fields import Field, FieldRole


class Shouting(TransformerMixin, BaseEstimator):
    """Says whether a message shouts; written as a user would, by scikit-learn's conventions alone."""

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def fit(self, X: pd.DataFrame, y: object = None) -> Shouting:
        return self

    def fields(self) -> tuple[Field, ...]:
        return (Field("shouting", FieldRole.CATEGORY),)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        upper = [sum(map(str.isupper, text)) > self.share * len(text) for text in X["text"]]
        return X.assign(shouting=pd.Series(["yes" if found else "no" for found in upper], X.index, object))


class Trimmed(TransformerMixin, BaseEstimator):
    """Has a parameter that is also a section of the settings."""

    def __init__(self, engine: str = "python") -> None:
        self.engine = engine

    def fit(self, X: pd.DataFrame, y: object = None) -> Trimmed:
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X


def function(X: pd.DataFrame) -> pd.DataFrame:
    """Return what comes: no class, so no step."""
    return X
