from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest
from loguru import logger
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from batch_nlp.steps.base import MeteredPipeline, StatelessStep, diagram


class KeepOver(StatelessStep):
    """Keep numbers over a limit."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X[X["n"] > self.limit]


class Double(StatelessStep):
    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.assign(n=2 * X["n"])


def pipeline() -> MeteredPipeline:
    return MeteredPipeline([("keep", KeepOver(2)), ("double", Double())])


def frame(*numbers: int) -> pd.DataFrame:
    return pd.DataFrame({"n": list(numbers)})


def test_it_gives_what_a_pipeline_of_the_same_steps_gives() -> None:
    out = pipeline().transform(frame(1, 2, 3, 4))
    assert out["n"].tolist() == [6, 8]
    assert out.index.tolist() == [2, 3]
    pd.testing.assert_frame_equal(out, Pipeline(pipeline().steps).transform(frame(1, 2, 3, 4)))


def test_rows_and_seconds_are_summed_over_batches() -> None:
    run = pipeline()
    assert run.rows == {}
    for batch in (frame(1, 5), frame(), frame(9, 9, 9)):
        run.transform(batch)
    assert run.rows == {"keep": (5, 4), "double": (4, 4)}
    assert all(count.seconds > 0 for count in run.counts.values())


def test_each_pipeline_keeps_a_count_of_its_own_and_says_it() -> None:
    first, second = pipeline(), pipeline()
    first.transform(frame(1, 3))
    second.transform(frame(1))
    assert (first.rows, second.rows) == ({"keep": (2, 1), "double": (1, 1)}, {"keep": (1, 0), "double": (0, 0)})
    assert clone(first).rows == {}
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    first.log()
    logger.remove(sink)
    assert [line.split()[:5] for line in lines] == [["keep", "2", "in", "1", "out"], ["double", "1", "in", "1", "out"]]


def test_the_step_that_fails_is_counted_as_far_as_it_came() -> None:
    class Fails(StatelessStep):
        def transform(self, X: pd.DataFrame) -> pd.DataFrame:
            raise ValueError("no")

    run = MeteredPipeline([("keep", KeepOver(2)), ("fails", Fails())])
    with pytest.raises(ValueError, match="no"):
        run.transform(frame(1, 3))
    assert run.rows == {"keep": (2, 1), "fails": (1, 0)}


def test_a_stateless_step_needs_no_fit_and_clones() -> None:
    step = KeepOver(limit=3)
    assert step.transform(frame(3, 4))["n"].tolist() == [4]
    assert step.fit(frame(1)) is step
    assert clone(step).get_params() == {"limit": 3}


def test_the_diagram_is_a_page_that_names_every_step() -> None:
    page = diagram(pipeline(), "feature pipeline")
    assert page.startswith("<!doctype html>")
    assert "<title>feature pipeline</title>" in page
    assert page.rstrip().endswith("</html>")
    parser = HTMLParser()
    parser.feed(page)
    parser.close()
    assert all(name in page for name in ("keep", "KeepOver", "double", "Double"))
