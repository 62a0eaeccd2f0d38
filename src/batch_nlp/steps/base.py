"""What the steps of all pipelines have in common, and the loop that runs them on batches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd
from loguru import logger
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, estimator_html_repr


class StatelessStep(TransformerMixin, BaseEstimator):
    """A transformer that learns nothing: what it makes of a message depends on that message alone."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Do nothing; there is nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        # frames with texts, not matrices of numbers
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


@dataclass
class StepCount:
    """Rows and seconds of one step, summed over the batches of a run."""

    rows_in: int = 0
    rows_out: int = 0
    seconds: float = 0.0


@dataclass
class StepRunner:
    """Runs a pipeline on one batch after the other, and keeps count.

    Parameters
    ----------
    pipeline : Pipeline
        Its steps take and return frames.
    """

    pipeline: Pipeline
    counts: dict[str, StepCount] = field(default_factory=dict)

    def transform(
        self, batch: pd.DataFrame, first: str | None = None, last: str | None = None
    ) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each step's name and output, so that the caller can keep what its layer keeps.

        Parameters
        ----------
        batch : DataFrame
        first, last : str, optional
            Run the steps from one to another, for a batch that has been through those before. Two threads may run
            different steps at a time.
        """
        frame = batch
        names = [name for name, _ in self.pipeline.steps]
        begin = 0 if first is None else names.index(first)
        end = len(names) if last is None else names.index(last) + 1
        for position in range(begin, end):
            name = names[position]
            count = self.counts.setdefault(name, StepCount())
            start = time.perf_counter()
            count.rows_in += len(frame)
            frame = self.pipeline[position : position + 1].transform(frame)
            count.rows_out += len(frame)
            count.seconds += time.perf_counter() - start
            yield name, frame

    @property
    def rows(self) -> dict[str, tuple[int, int]]:
        """Rows that went into each step and came out of it."""
        return {name: (count.rows_in, count.rows_out) for name, count in self.counts.items()}

    def log(self) -> None:
        """Log each step's rows and seconds."""
        for name, count in self.counts.items():
            logger.info("{:<18} {:>10,} in {:>10,} out {:>8.2f} s", name, count.rows_in, count.rows_out, count.seconds)


def diagram(pipeline: Pipeline, title: str) -> str:
    """Return a pipeline's diagram as an HTML page."""
    body: Any = estimator_html_repr(pipeline)
    head = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    return f"{head}\n<body>{body}</body></html>\n"
