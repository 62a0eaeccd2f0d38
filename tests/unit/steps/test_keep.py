from __future__ import annotations

import pandas as pd

from batch_nlp.steps.keep import Keep


def test_messages_pass_and_the_layer_gets_them() -> None:
    kept: dict[str, pd.DataFrame] = {}
    frame = pd.DataFrame({"text": ["a", "b"]}, index=[4, 2])
    assert Keep("primary", kept.__setitem__).transform(frame) is frame
    assert list(kept) == ["primary"]
    pd.testing.assert_frame_equal(kept["primary"], frame)


def test_where_a_run_keeps_nothing_they_only_pass() -> None:
    frame = pd.DataFrame({"text": ["a"]})
    assert Keep("primary").transform(frame) is frame
