from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from batch_nlp.steps.base import StatelessStep, StepRunner, diagram


class KeepOver(StatelessStep):
    """Keep numbers over a limit."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X[X["n"] > self.limit]


class Double(StatelessStep):
    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.assign(n=2 * X["n"])


def runner() -> StepRunner:
    return StepRunner(Pipeline([("keep", KeepOver(2)), ("double", Double())]))


def frame(*numbers: int) -> pd.DataFrame:
    return pd.DataFrame({"n": list(numbers)})


def test_each_steps_output_is_given_in_order_and_the_last_is_the_pipelines() -> None:
    outputs = dict(runner().transform(frame(1, 2, 3, 4)))
    assert list(outputs) == ["keep", "double"]
    assert outputs["keep"]["n"].tolist() == [3, 4]
    pd.testing.assert_frame_equal(outputs["double"], runner().pipeline.transform(frame(1, 2, 3, 4)))
    assert outputs["double"].index.tolist() == [2, 3]


def test_rows_and_seconds_are_summed_over_batches() -> None:
    run = runner()
    for batch in (frame(1, 5), frame(), frame(9, 9, 9)):
        dict(run.transform(batch))
    assert {name: (count.rows_in, count.rows_out) for name, count in run.counts.items()} == {
        "keep": (5, 4), "double": (4, 4),
    }  # fmt: skip
    assert all(count.seconds > 0 for count in run.counts.values())


def test_a_stateless_step_needs_no_fit_and_clones() -> None:
    step = KeepOver(limit=3)
    assert step.transform(frame(3, 4))["n"].tolist() == [4]
    assert step.fit(frame(1)) is step
    assert clone(step).get_params() == {"limit": 3}


def test_the_diagram_is_a_page_that_names_every_step() -> None:
    page = diagram(runner().pipeline, "feature pipeline")
    assert page.startswith("<!doctype html>")
    assert "<title>feature pipeline</title>" in page
    assert page.rstrip().endswith("</html>")
    parser = HTMLParser()
    parser.feed(page)
    parser.close()
    assert all(name in page for name in ("keep", "KeepOver", "double", "Double"))
