"""Tweets to airlines, as CSV, with a sentiment and, where it is negative, its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from batch_nlp.sample.labelled import Labelled, Message, Row

_FIRST_DAY = datetime(2015, 2, 1, tzinfo=UTC)
_AIRLINES = {
    "united": "United",
    "SouthwestAir": "Southwest",
    "USAirways": "US Airways",
    "Delta": "Delta",
    "VirginAmerica": "Virgin America",
}


def _row(message: Message) -> Row:
    handle = list(_AIRLINES)[message.draw() % len(_AIRLINES)]
    sentiment, _, reason = message.label.partition("/")
    written = _FIRST_DAY + timedelta(days=message.day)
    link = f" http://t.co/{message.draw():x}" if message.draw() % 12 == 0 else ""
    return {
        # 18 digits, which a floating-point number does not hold
        "tweet_id": 568_000_000_000_000_001 + 137 * message.index,
        "airline_sentiment": sentiment,
        "negativereason": reason,
        "airline": _AIRLINES[handle],
        "text": f"@{handle} {message.text}{link}",
        "tweet_created": f"{written.month}/{written.day}/{written:%Y %H:%M}",
    }


SOURCE = Labelled(
    name="airline_tweets",
    history_files=("Tweets.csv",),
    batch_file="Tweets_batch_{:04d}.csv",
    sentences=(1, 3),
    row=_row,
    late=frozenset({"airline_sentiment", "negativereason"}),
)
