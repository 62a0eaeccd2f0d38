"""The steps before the classifier: they turn rows of the feature store into numbers.

Medians, categories, n-gram weights and scales are fitted on the training rows alone and kept in the model. A column
made from a field is named ``<field>=<what>``. No field's name contains "=", so column names never clash.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

import numpy as np
import pandas as pd
from feature_engine.selection import DropConstantFeatures, DropCorrelatedFeatures
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.utils.validation import check_is_fitted

from batch_nlp.config import Encoding, Input, TrainingConfig, plain
from batch_nlp.fields import TEXT, Fields
from batch_nlp.storage.scratch import new_array
from batch_nlp.training.ngram_scores import NgramScores


class EmbeddingColumns(TransformerMixin, BaseEstimator):
    """Spread a column of vectors over one column per dimension."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Store the name of the column and the number of dimensions."""
        self.name_ = str(X.columns[0])
        self.dims_ = len(np.asarray(X.iloc[0, 0]))
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return the vectors as a matrix, shape (n, dims), float32."""
        check_is_fitted(self)
        found: NDArray[np.float32] = new_array((len(X), self.dims_), np.float32)
        return np.stack(X.iloc[:, 0].to_list(), out=found) if len(X) else found

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the dimensions."""
        check_is_fitted(self)
        return np.array([f"{self.name_}={position:03d}" for position in range(self.dims_)], dtype=object)


class MedianImputer(SimpleImputer):
    """Fill missing numbers with medians, and mark them in columns ``<field>=missing``."""

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the fields, then the columns that mark missing values."""
        fields = self.feature_names_in_
        return np.array([*fields, *(f"{name}=missing" for name in fields[self.indicator_.features_])], dtype=object)


class OneHotColumns(OneHotEncoder):
    """One-hot columns ``<field>=<value>``; rare values share the column ``<field>``."""

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns."""
        names: list[str] = []
        found = (self.feature_names_in_, self.categories_, self.infrequent_categories_)
        for field, values, rare in zip(*found, strict=True):
            together = frozenset(() if rare is None else rare)
            names += [*(f"{field}={value}" for value in values if value not in together), *[field][: len(together)]]
        return np.array(names, dtype=object)


class TargetColumns(TargetEncoder):
    """Target encodings ``<field>=<class>``; with two classes, a single column ``<field>``."""

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the columns."""
        classes = [f"={label}" for label in self.classes_] if self.target_type_ == "multiclass" else [""]
        return np.array([f"{field}{label}" for field in self.feature_names_in_ for label in classes], dtype=object)


def _columns(*steps: tuple[str, Any, Any]) -> ColumnTransformer:
    transformer = ColumnTransformer(list(steps), remainder="passthrough", verbose_feature_names_out=False)
    return transformer.set_output(transform="pandas")


def imputer(fields: Fields) -> ColumnTransformer:
    """Return the step `imputer`: medians and an indicator for numbers, the category ``missing`` for categories."""
    return _columns(
        (
            "numeric",
            MedianImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            fields.numbers,
        ),
        (
            "categorical",
            SimpleImputer(strategy="constant", fill_value="missing", keep_empty_features=True),
            fields.categories,
        ),
    )


def encoding(
    settings: TrainingConfig,
    fields: Fields,
    inputs: Collection[Input],
    seed: int,
    threads: int = 0,
    keep_text: bool = False,
) -> ColumnTransformer:
    """Return the step `encoding`: categories, texts and vectors become numbers.

    Parameters
    ----------
    settings : TrainingConfig
    inputs : collection of Input
        Those that the classifier gets.
    seed : int
        Seed of all folds.
    threads : int
        Threads of the n-gram models; 0 uses all cores.
    keep_text : bool
        Whether to keep the texts beside the numbers, for a classifier that reads texts.
    """
    categories = (
        OneHotColumns(
            min_frequency=settings.min_category_share, handle_unknown="infrequent_if_exist", sparse_output=False
        )
        if settings.encoding is Encoding.one_hot
        else TargetColumns(cv=StratifiedKFold(5, shuffle=True, random_state=seed))
    )
    ngrams = NgramScores(**plain(settings.ngrams), random_state=seed, threads=threads)
    tabular = Input.tabular in inputs
    return _columns(
        ("numeric", "passthrough" if tabular else "drop", make_column_selector(dtype_include="number")),
        ("categorical", categories if tabular else "drop", fields.categories),
        ("ngrams", ngrams if Input.ngrams in inputs else "drop", [TEXT]),
        *((name, EmbeddingColumns() if Input.embedding in inputs else "drop", [name]) for name in fields.vectors),
        ("text", "passthrough" if keep_text else "drop", [TEXT]),
    )


def scaler(keep_text: bool = False) -> StandardScaler | ColumnTransformer:
    """Return the step `scaler`: zero mean and unit variance on the training rows; texts stay as they are."""
    if keep_text:
        return _columns(("numeric", StandardScaler(), make_column_selector(dtype_include="number")))
    return StandardScaler().set_output(transform="pandas")


def dimensionality_reducer(settings: TrainingConfig, seed: int, threads: int = 0) -> Pipeline | str:
    """Return the step `dimensionality_reducer`: if enabled, it drops constant, correlated and unimportant columns."""
    reducer = settings.reducer
    if not reducer.enabled:
        return "passthrough"
    forest = RandomForestClassifier(
        n_estimators=100, max_depth=10, class_weight="balanced", random_state=seed, n_jobs=threads or -1
    )
    return Pipeline(
        [
            ("constant", DropConstantFeatures(tol=reducer.constant)),
            ("correlated", DropCorrelatedFeatures(threshold=reducer.correlated)),
            (
                "importance",
                SelectFromModel(forest, threshold=f"{reducer.importance}*mean").set_output(transform="pandas"),
            ),
        ]
    )
