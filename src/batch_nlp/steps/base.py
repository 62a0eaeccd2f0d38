"""Base classes of the steps, and the pipeline that measures them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd
from loguru import logger
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, estimator_html_repr

from batch_nlp.fields import TEXT, Field, FieldRole


class TakesTexts:
    """Estimator tags for frames with texts instead of numeric matrices."""

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


class StatelessStep(TakesTexts, TransformerMixin, BaseEstimator):
    """A transformer that learns nothing: its result depends only on the message itself."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Do nothing; there is nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class TextStep(StatelessStep):
    """A step that changes only the text."""

    def fields(self) -> tuple[Field, ...]:
        """Return the text."""
        return (Field(TEXT, FieldRole.TEXT),)


@dataclass
class StepCount:
    """Rows and seconds of one step, summed over the batches of a run."""

    rows_in: int = 0
    rows_out: int = 0
    seconds: float = 0.0


class MeteredPipeline(Pipeline):
    """A pipeline of steps on frames that counts rows and seconds per step.

    Attributes
    ----------
    counts : dict of str to StepCount
        Step -> counts.
    """

    @property
    def counts(self) -> dict[str, StepCount]:
        """Rows and seconds of each step so far."""
        found: dict[str, StepCount] = self.__dict__.setdefault("_counts", {})
        return found

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Run all steps on a batch."""
        frame = X
        for name, step in self.steps:
            count, start = self.counts.setdefault(name, StepCount()), time.perf_counter()
            count.rows_in += len(frame)
            frame = step.transform(frame)
            count.rows_out += len(frame)
            count.seconds += time.perf_counter() - start
        return frame

    @property
    def rows(self) -> dict[str, tuple[int, int]]:
        """Rows into and out of each step."""
        return {name: (count.rows_in, count.rows_out) for name, count in self.counts.items()}

    def log(self) -> None:
        """Log the rows and seconds of each step."""
        for name, count in self.counts.items():
            logger.info("{:<18} {:>10,} in {:>10,} out {:>8.2f} s", name, count.rows_in, count.rows_out, count.seconds)


def diagram(pipeline: Pipeline, title: str) -> str:
    """Return a pipeline's diagram as an HTML page."""
    body: Any = estimator_html_repr(pipeline)
    head = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    return f"{head}\n<body>{body}</body></html>\n"
