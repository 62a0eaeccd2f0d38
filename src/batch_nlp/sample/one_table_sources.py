"""Generators of the sources with one table: the format of their rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from batch_nlp.sample.clauses import bank
from batch_nlp.sample.labelled_messages import Labelled, Message, Row
from batch_nlp.sample.random_by_index import pick

_FIRST_TWEETS_TO_AIRLINES = datetime(2015, 2, 1, tzinfo=UTC)
_AIRLINES = {
    "united": "United",
    "SouthwestAir": "Southwest",
    "USAirways": "US Airways",
    "Delta": "Delta",
    "VirginAmerica": "Virgin America",
}
# The processed file lacks case, punctuation and these words
_STOP_WORDS = re.compile(
    r"\b(a|about|an|and|are|at|be|by|for|from|has|have|i|in|is|it|me|my|not|of|on|or|our|that|the|their|they|this|to|was"
    r"|were|will|with|you)\b"
)
# Scraping errors: a truncated tag, a style sheet, and a shop's banner instead of its name
_NO_TITLE = '<span class="a-size-medium a-color-secondary"'
_NO_PRICE = ".a-box-inner{background-color:#fff}#alohaBuyBoxWidget .selected{border:0}"
_BANNER = '<img src="https://images.example.com/nav/{0}.png" class="nav-categ-image" alt="{0}"/>'
_FIRST_TWEETS_TO_SUPPORT = datetime(2017, 10, 12, tzinfo=UTC)


def _airline_tweet(message: Message) -> Row:
    """Return a tweet to an airline, with a sentiment and, where it is negative, its reason."""
    handle = pick(list(_AIRLINES), message.draw)
    sentiment, _, reason = message.label.partition("/")
    written = _FIRST_TWEETS_TO_AIRLINES + timedelta(days=message.day)
    link = f" http://t.co/{message.draw():x}" if message.draw() % 12 == 0 else ""
    return {
        # 18 digits, too many for a floating-point number
        "tweet_id": 568_000_000_000_000_001 + 137 * message.index,
        "airline_sentiment": sentiment,
        "negativereason": reason,
        "airline": _AIRLINES[handle],
        "text": f"@{handle} {message.text}{link}",
        "tweet_created": f"{written.month}/{written.day}/{written:%Y %H:%M}",
    }


AIRLINE_TWEETS = Labelled(
    name="airline_tweets",
    stream=10,
    history_files=("Tweets.csv",),
    batch_file="Tweets_batch_{:04d}.csv",
    sentences=(1, 3),
    row=_airline_tweet,
    late=frozenset({"airline_sentiment", "negativereason"}),
)


def _complaint(message: Message) -> Row:
    """Return a complaint to a consumer protection bureau: as JSON under `_source`, or in a processed CSV."""
    text = re.sub(r"(^|\. )(.)", lambda start: f"{start[1]}{start[2].upper()}", message.text)
    if message.file.endswith(".csv"):
        words = re.findall(r"[a-z]+", _STOP_WORDS.sub("", text.lower()))
        return {"Unnamed: 0": message.index, "product": message.label, "narrative": " ".join(words)}
    number = str(3_000_000 + message.index)
    source = {
        "complaint_id": number,
        "date_received": f"2021-01-{1 + int(message.day) % 28:02d}T12:00:00-05:00",
        "product": message.label,
        "sub_product": f"{message.label}, other" if message.draw() & 1 else None,
        # many people do not consent to their text being published
        "complaint_what_happened": "" if message.draw() % 50 == 0 else text,
        "company": f"COMPANY {message.draw() % 30}",
        "company_response": "Closed with explanation",
        "consumer_disputed": "N/A",
        "timely": "Yes",
        "state": pick(("CA", "TX", "FL", "NY", None), message.draw),
        "submitted_via": "Web",
        "tags": None,
    }
    return {"_index": "complaint-public-v2", "_type": "complaint", "_id": number, "_score": 0.0, "_source": source}


COMPLAINTS = Labelled(
    name="complaints",
    stream=11,
    history_files=("complaints.json", "complaints_processed.csv"),
    batch_file="complaints_batch_{:04d}.json",
    sentences=(3, 14),
    row=_complaint,
    late=frozenset({"product", "sub_product", "company_response", "consumer_disputed", "timely"}),
)


def _product(message: Message) -> Row:
    """Return a product's metadata, with scraping errors in text, price and categories."""
    title, *description = message.sentences
    brands = bank("products")["slots"]["brand"]
    dice = message.draw() % 200
    label = "" if dice == 0 else _BANNER.format(message.label.upper()) if dice == 1 else message.label
    price = message.draw() % 10
    without_title = description and message.draw() % 3 == 0
    return {
        "category": [message.label] if message.draw() % 8 else [],
        "description": [f"<b>{title}</b><br>", *description] if without_title else description,
        "title": _NO_TITLE if without_title else title,
        "brand": pick(brands, message.draw) if message.draw() & 1 else "",
        "feature": [],
        "rank": f"{1 + message.draw() % 90_000:,} in {message.label} (",
        "also_buy": [],
        "also_view": [],
        "main_cat": label,
        "date": "",
        "price": _NO_PRICE if price == 0 else f"${5 + message.draw() % 95}.99" if price < 5 else "",
        "asin": f"B{message.index:09X}",
    }


PRODUCTS = Labelled(
    name="products",
    stream=12,
    history_files=("meta_Sample.json.gz",),
    batch_file="meta_batch_{:04d}.json.gz",
    sentences=(1, 5),
    row=_product,
    late=frozenset({"main_cat", "category", "rank"}),
)


def _support_tweet(message: Message) -> Row:
    """Return a tweet between a customer and the support of a company, without a label."""
    slots = bank("support_tweets")["slots"]
    company = pick(slots["company"], message.draw)
    user = pick(slots["user"], message.draw)
    inbound = message.label != "reply"
    written = _FIRST_TWEETS_TO_SUPPORT + timedelta(days=message.day)
    number = 1 + message.index
    return {
        "tweet_id": number,
        "author_id": user if inbound else company,
        "inbound": inbound,
        "created_at": written.strftime("%a %b %d %H:%M:%S %z %Y"),
        "text": f"@{company if inbound else user} {message.text}",
        "response_tweet_id": number + 1 if message.draw() & 1 else None,
        # as pandas writes whole numbers in a column with gaps
        "in_response_to_tweet_id": float(number - 1) if message.draw() % 4 else None,
    }


SUPPORT_TWEETS = Labelled(
    name="support_tweets",
    stream=13,
    history_files=("twcs.csv",),
    batch_file="twcs_batch_{:04d}.csv",
    sentences=(1, 4),
    row=_support_tweet,
    late=frozenset({"response_tweet_id"}),
    has_labels=False,
)
