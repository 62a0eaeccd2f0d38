"""HTML is left out of texts, whole or cut off; what only looks like it stays."""

from __future__ import annotations

import pandas as pd
import pytest

from batch_nlp.steps.strip_html import StripHtml


def stripped(text: str) -> str:
    found = StripHtml().fit_transform(pd.DataFrame({"text": pd.Series([text], index=[5], dtype=object)}))
    assert list(found.index) == [5]
    return str(found.loc[5, "text"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p>One <b>two</b></p><br/>three", "One two three"),
        ('<a href="x.html?a=1&b=2" target=_blank>link</a> text', "link text"),
        ("<IMG SRC='a.png' alt='a > b'>after", "after"),
        ("<!-- not shown <b> --> shown", "shown"),
        ("<style type='text/css'>p { color: red }</style>words<script>if (a < b) alert()</script>", "words"),
        # a tag that the scraper cut off
        ('<span class="title" A good read', "A good read"),
        ('ends in <div class="a" id="b"', "ends in"),
    ],
)
def test_mark_up_goes_and_words_stay(text, words):
    assert stripped(text) == words


@pytest.mark.parametrize(
    "text", ["I <3 this", "a < b and c > d", "5<6", "sent to <", "mail <anna@example.com>", "x <y or z", "", "plain"]
)
def test_what_is_no_mark_up_stays(text):
    assert stripped(text) == text


def test_a_text_of_mark_up_alone_becomes_empty():
    assert stripped('<span class="a"') == ""


def test_many_open_tags_take_no_longer_than_their_length():
    text = "<a " * 200_000
    assert stripped(text) == text.strip()
