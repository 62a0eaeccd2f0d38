"""Samples in the formats of the datasets that come with the project: their columns, their quirks, their seeds."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError
from batch_nlp.sample import check_sample, deliver_labels, write_batch, write_history

FILES = {
    "airline_tweets": ["Tweets.csv"],
    "complaints": ["complaints.json", "complaints_processed.csv"],
    "products": ["meta_Sample.json.gz"],
    "support_tweets": ["twcs.csv"],
}
# Hashes of a history and a batch
GOLDEN = {
    "airline_tweets": "c4e6e3b3b9abbc89",
    "complaints": "014fc5fb272b32f5",
    "products": "b0f2411230b49d93",
    "support_tweets": "95de894d932bfc80",
}
SOUND = default(SampleConfig, messages=1500, batch_messages=200, duplicate_share=0.0, broken_share=0.0)

every_source = pytest.mark.parametrize("source", FILES)


def lines_of(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()


def rows_of(path: Path) -> list[dict[str, Any]]:
    lines = lines_of(path)
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(b"\n".join(lines).decode())))
    return [row.get("_source", row) for row in map(orjson.loads, lines)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("labelled")
    for source in FILES:
        write_history(base / source, SOUND, source=source)
    return {source: base / source for source in FILES}


@pytest.fixture(scope="module")
def rows(folders: dict[str, Path]) -> dict[str, list[dict[str, Any]]]:
    return {source: [row for file in FILES[source] for row in rows_of(folders[source] / file)] for source in FILES}


@every_source
def test_the_same_seed_writes_the_same_bytes_and_nothing_else(tmp_path, folders, source):
    seen: list[int] = []
    write_history(tmp_path, replace(SOUND, length=3.0, batch_messages=7), seen.append, source)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES[source]
    assert all((tmp_path / name).read_bytes() == (folders[source] / name).read_bytes() for name in FILES[source])
    assert sum(seen) == 1500
    write_history(tmp_path, replace(SOUND, seed=1), source=source)
    assert all((tmp_path / name).read_bytes() != (folders[source] / name).read_bytes() for name in FILES[source])


@every_source
def test_every_message_is_a_row(rows, source):
    assert len(rows[source]) == 1500
    assert all(row.keys() == rows[source][-1].keys() for row in rows[source][-700:])


def test_columns_are_those_of_the_formats(folders, rows):
    twcs = ["tweet_id", "author_id", "inbound", "created_at", "text", "response_tweet_id", "in_response_to_tweet_id"]
    assert list(rows["support_tweets"][0]) == twcs
    tweets = ["tweet_id", "airline_sentiment", "negativereason", "airline", "text", "tweet_created"]
    assert list(rows["airline_tweets"][0]) == tweets
    assert {"main_cat", "category", "title", "description", "brand", "price", "asin"} < set(rows["products"][0])
    complaint = orjson.loads(lines_of(folders["complaints"] / "complaints.json")[0])
    assert set(complaint) == {"_index", "_type", "_id", "_score", "_source"}
    assert {"complaint_what_happened", "product", "sub_product", "date_received"} < set(complaint["_source"])
    assert list(rows["complaints"][-1]) == ["Unnamed: 0", "product", "narrative"]


def test_texts_are_filled_and_varied(rows):
    for source, column in (("support_tweets", "text"), ("airline_tweets", "text"), ("complaints", "narrative")):
        texts = [row[column] for row in rows[source] if column in row]
        assert not any(re.search(r"[{}]|%s|%%", text) for text in texts)
        assert len(set(texts)) > 0.8 * len(texts)


def test_quirks_of_complaints(rows):
    texts = [row["complaint_what_happened"] for row in rows["complaints"] if "complaint_what_happened" in row]
    assert 0 < texts.count("") < 0.05 * len(texts)
    narratives = [row["narrative"] for row in rows["complaints"] if "narrative" in row]
    assert len(texts) == len(narratives) == 750
    assert all(re.fullmatch(r"[a-z ]+", narrative) for narrative in narratives)
    assert not any({"the", "is", "my"} & set(narrative.split()) for narrative in narratives)


def test_quirks_of_products(rows):
    products = rows["products"]
    labels = Counter(row["main_cat"] for row in products)
    assert labels["Magazine Subscriptions"] > labels["Gift Cards"] > labels["Office Products"] > 200
    assert 0 < labels[""] < 20
    assert any(label.startswith("<img ") for label in labels)
    assert any(row["title"].startswith("<span") and not row["title"].endswith(">") for row in products)
    assert {row["price"][:1] for row in products} == {"", "$", "."}
    assert any(row["description"] == [] for row in products)
    assert len({row["asin"] for row in products}) == 1500


def test_quirks_of_support_tweets(rows):
    tweets = rows["support_tweets"]
    assert 600 < sum(row["inbound"] == "False" for row in tweets) < 750
    assert all(row["author_id"].isdigit() == (row["inbound"] == "True") for row in tweets)
    assert all(re.fullmatch(r"\w{3} Oct \d\d [\d:]{8} \+0000 2017", row["created_at"]) for row in tweets)
    assert {row["in_response_to_tweet_id"][-2:] for row in tweets} == {"", ".0"}


def test_quirks_of_airline_tweets(rows):
    tweets = rows["airline_tweets"]
    assert {row["airline_sentiment"] for row in tweets} == {"negative", "neutral", "positive"}
    assert all((row["negativereason"] != "") == (row["airline_sentiment"] == "negative") for row in tweets)
    assert all(re.fullmatch(r"\d{18}", row["tweet_id"]) for row in tweets)
    assert all(re.fullmatch(r"2/\d{1,2}/2015 \d\d:\d\d", row["tweet_created"]) for row in tweets)
    assert any(re.match(r"2/\d/", row["tweet_created"]) for row in tweets)


@pytest.mark.parametrize(
    ("source", "text", "label"),
    [
        ("complaints", ("complaint_what_happened", "narrative"), ("product",)),
        ("products", ("title", "description"), ("main_cat",)),
        ("airline_tweets", ("text",), ("airline_sentiment", "negativereason")),
    ],
)
def test_a_linear_model_learns_the_classes_and_not_all_of_them(rows, source, text, label):
    texts = [" ".join(str(row.get(name, "")) for name in text) for row in rows[source]]
    labels = ["/".join(row[name] for name in label) for row in rows[source]]
    frequent = {name for name, count in Counter(labels).items() if count >= 20 and name}
    kept = [place for place, name in enumerate(labels) if name in frequent]
    train, test = [kept[place] for place in range(len(kept)) if place % 5], kept[::5]
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=4.0, class_weight="balanced", max_iter=300)
    model.fit(vectorizer.fit_transform([texts[place] for place in train]), [labels[place] for place in train])
    found = model.predict(vectorizer.transform([texts[place] for place in test]))
    assert 0.7 < f1_score([labels[place] for place in test], found, average="macro") < 0.97


@every_source
def test_a_batch_comes_without_what_is_known_later(tmp_path, rows, source):
    inbox = write_batch(tmp_path / "inbox", tmp_path / "pending", SOUND, source=source)
    new, labelled = rows_of(inbox), rows_of(tmp_path / "pending" / inbox.name)
    late = {
        "airline_tweets": {"airline_sentiment", "negativereason"},
        "complaints": {"product", "sub_product", "company_response", "consumer_disputed", "timely"},
        "products": {"main_cat", "category", "rank"},
        "support_tweets": {"response_tweet_id"},
    }[source]
    assert set(labelled[0]) - set(new[0]) == late
    assert new == [{name: row[name] for name in new[0]} for row in labelled]
    assert len(new) == 200
    key = {"complaints": "complaint_id", "products": "asin"}.get(source, "tweet_id")
    assert not {row[key] for row in new} & {row[key] for row in rows[source] if key in row}


def test_batches_follow_the_history_a_day_at_a_time(tmp_path):
    for day in ("2/21/2015", "2/22/2015"):
        inbox = write_batch(tmp_path / "inbox", tmp_path / "pending", SOUND, source="airline_tweets")
        assert {row["tweet_created"].split()[0] for row in rows_of(inbox)} == {day}


@every_source
def test_labels_are_delivered_once_and_numbers_never_come_again(tmp_path, source):
    inbox, pending, raw = tmp_path / "inbox", tmp_path / "pending", tmp_path / "raw"
    other = "products" if source != "products" else "complaints"
    write_batch(inbox, pending, SOUND, source=other)
    first = write_batch(inbox, pending, SOUND, source=source).name
    labels = (pending / first).read_bytes()
    assert "_0001." in first
    assert deliver_labels(pending, raw, source=source) == [raw / first]
    assert (raw / first).read_bytes() == labels
    assert deliver_labels(pending, raw, source=source) == []
    assert "_0002." in write_batch(inbox, pending, SOUND, source=source).name


def test_class_mix_and_length_are_honoured(tmp_path):
    mix = [0.1, 0.2, 0.3, 0.4, 0.0]
    usual, other = (
        rows_of(
            tmp_path / "pending" / write_batch(tmp_path / "inbox", tmp_path / "pending", settings, source=name).name
        )
        for name, settings in (("complaints", SOUND), ("complaints", replace(SOUND, class_mix=mix, length=3.0)))
    )
    counts = Counter(row["product"] for row in other)
    names = ["credit_reporting", "debt_collection", "mortgages_and_loans", "credit_card"]
    assert [counts[name] for name in names] == pytest.approx([20, 40, 60, 80], abs=1)
    words = [sum(len(row["complaint_what_happened"].split()) for row in batch) for batch in (usual, other)]
    assert words[1] / words[0] == pytest.approx(3.0, rel=0.2)


@every_source
def test_duplicates_and_broken_lines_come_in_their_shares(tmp_path, source):
    write_history(tmp_path, replace(SOUND, duplicate_share=0.1, broken_share=0.05), source=source)
    lines = [line for file in FILES[source] for line in lines_of(tmp_path / file)]
    assert 1600 < len(lines) < 1720
    assert 100 < len(lines) - len(set(lines)) < 220
    cut = 0
    for line in lines:
        try:
            cut += len(next(csv.reader([line.decode()]))) == 1 if not line.startswith(b"{") else not orjson.loads(line)
        except orjson.JSONDecodeError:
            cut += 1
    assert 40 < cut < 120


@pytest.mark.parametrize(
    ("source", "field", "value", "named"),
    [
        ("complaints", "class_mix", [0.5, 0.3, 0.2], 5),
        ("support_tweets", "class_mix", [0.2] * 5, "classes"),
        ("products", "vocabulary", 0.5, "yelp"),
    ],
)
def test_settings_that_cannot_be_satisfied_are_named(tmp_path, source, field, value, named):
    settings = replace(SOUND, **{field: value})
    for act in (lambda: write_history(tmp_path, settings, source=source), lambda: check_sample(settings, source)):
        with refusal(SettingsError, f"sample.{field}", named):
            act()
    assert not list(tmp_path.iterdir())


def test_a_dataset_without_a_generator_is_told_which_there_are(tmp_path):
    with refusal(SettingsError, "dataset.sample", "airline_tweets", "complaints"):
        write_history(tmp_path, SOUND, source=None)
    with refusal(SettingsError, "'complaints'"):
        write_history(tmp_path, SOUND, source="complaint")


@pytest.mark.parametrize(("source", "digest"), GOLDEN.items())
def test_the_samples_stay_what_they_were(tmp_path, source, digest):
    faulty = default(SampleConfig, messages=300, batch_messages=100)
    write_history(tmp_path / "raw", faulty, source=source)
    write_batch(tmp_path / "raw", tmp_path / "pending", faulty, source=source)
    lines = [line for path in sorted((tmp_path / "raw").iterdir()) for line in lines_of(path)]
    assert hashlib.sha256(b"\n".join(lines)).hexdigest()[:16] == digest
