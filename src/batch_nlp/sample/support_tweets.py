"""Tweets between customers and the support of companies, as CSV, without labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from batch_nlp.sample.clauses import bank
from batch_nlp.sample.labelled import Labelled, Message, Row

_FIRST_DAY = datetime(2017, 10, 12, tzinfo=UTC)


def _row(message: Message) -> Row:
    slots = bank("support_tweets")["slots"]
    company = slots["company"][message.draw() % len(slots["company"])]
    user = slots["user"][message.draw() % len(slots["user"])]
    inbound = message.label != "reply"
    written = _FIRST_DAY + timedelta(days=message.day)
    number = 1 + message.index
    return {
        "tweet_id": number,
        "author_id": user if inbound else company,
        "inbound": inbound,
        "created_at": written.strftime("%a %b %d %H:%M:%S %z %Y"),
        "text": f"@{company if inbound else user} {message.text}",
        "response_tweet_id": number + 1 if message.draw() & 1 else None,
        # written by way of pandas, which makes decimals of whole numbers where some are missing
        "in_response_to_tweet_id": float(number - 1) if message.draw() % 4 else None,
    }


SOURCE = Labelled(
    name="support_tweets",
    history_files=("twcs.csv",),
    batch_file="twcs_batch_{:04d}.csv",
    sentences=(1, 4),
    row=_row,
    late=frozenset({"response_tweet_id"}),
    has_labels=False,
)
