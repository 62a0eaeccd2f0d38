"""Batches: no labels, drift as dialled in, and labels that are delivered once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from statistics import mean

import orjson
import pytest

from batch_nlp.sample import deliver_labels, write_batch
from batch_nlp.sample.clauses import bank

REVIEWS = "yelp_academic_dataset_review.json"


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w'-]+", text.lower()))


def test_the_inbox_has_no_labels_and_the_pending_file_has(batch, settings, read):
    inbox, pending = batch(settings)
    assert inbox.name == "yelp_academic_dataset_review_batch_0001.json"
    messages, labelled = read(inbox)[0], read(pending)[0]
    assert all(set(row) == {"review_id", "user_id", "business_id", "text", "date"} for row in messages)
    assert len(messages) == 600
    assert messages == [{name: row[name] for name in messages[0]} for row in labelled]
    assert {row["stars"] for row in labelled} == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert all({"useful", "funny", "cool"} < set(row) for row in labelled)


@pytest.mark.parametrize(
    ("mix", "shares"),
    [
        (None, [0.20, 0.13, 0.67]),
        ([0.6, 0.3, 0.1], [0.6, 0.3, 0.1]),
        ([1.0, 0.0, 0.0], [1.0, 0.0, 0.0]),
        ([0.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
    ],
)
def test_class_mix_is_honoured(batch, settings, read, mix, shares):
    _, pending = batch(replace(settings, class_mix=mix))
    stars = [row["stars"] for row in read(pending)[0]]
    counts = [sum(s < 3 for s in stars), stars.count(3.0), sum(s > 3 for s in stars)]
    assert [count / 600 for count in counts] == pytest.approx(shares, abs=0.005)


def test_batches_follow_each_other_a_day_at_a_time(batch, settings, history, read):
    latest = max(row["date"] for row in read(history / REVIEWS)[0])
    ids = {row["review_id"] for row in read(history / REVIEWS)[0]}
    for day in ("2025-01-01", "2025-01-02", "2025-01-03"):
        inbox, _ = batch(settings)
        rows = read(inbox)[0]
        assert {row["date"][:10] for row in rows} == {day}
        assert day > latest
        assert not ids & {row["review_id"] for row in rows}
        ids |= {row["review_id"] for row in rows}
    assert len(ids) == 4000 + 3 * 600


def test_batches_join_the_tables_of_the_history(batch, settings, history, read):
    users = {row["user_id"] for row in read(history / "yelp_academic_dataset_user.json")[0]}
    businesses = {row["business_id"] for row in read(history / "yelp_academic_dataset_business.json")[0]}
    rows = read(batch(settings)[0])[0]
    assert mean(row["user_id"] in users and row["business_id"] in businesses for row in rows) > 0.93


def test_vocabulary_brings_in_words_that_the_history_lacks(batch, settings, history, read):
    known = set().union(*(words(row["text"]) for row in read(history / REVIEWS)[0]))
    slots = bank("yelp_novelty")["slots"]
    new = set().union(*(words(entry) for name in ("gadget", "gizmos", "app", "slaps") for entry in slots[name])) - known
    assert len(new) > 60
    shares = {}
    for vocabulary in (0.0, 0.4, 1.0):
        rows = read(batch(replace(settings, vocabulary=vocabulary))[0])[0]
        # Two unknown words, as a typing error may be one.
        shares[vocabulary] = mean(len(words(row["text"]) - known) > 1 for row in rows)
        assert any(words(row["text"]) & new for row in rows) == (vocabulary > 0)
    assert shares[0.0] < 0.1
    assert 0.35 < shares[0.4] < 0.5
    assert shares[1.0] > 0.95


def test_every_novel_clause_has_a_word_that_the_history_lacks(batch, settings, history, read):
    known = set().union(*(words(row["text"]) for row in read(history / REVIEWS)[0]))
    rows = read(batch(replace(settings, vocabulary=1.0, length=0.05))[0])[0]
    assert all(words(row["text"]) - known for row in rows)


@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_length_is_a_factor(batch, settings, history, read, factor):
    usual = mean(len(row["text"].split()) for row in read(history / REVIEWS)[0])
    rows = read(batch(replace(settings, length=factor))[0])[0]
    assert mean(len(row["text"].split()) for row in rows) / usual == pytest.approx(factor, rel=0.2)


def test_duplicates_and_broken_lines_are_the_same_in_both_files(batch, settings, read):
    inbox, pending = batch(replace(settings, duplicate_share=0.1, broken_share=0.05))
    for file in (inbox, pending):
        rows, cut = read(file)
        counts = Counter(row["review_id"] for row in rows)
        assert sum(counts.values()) - len(counts) == pytest.approx(60, abs=6)
        assert cut
    assert len(inbox.read_bytes().splitlines()) == len(pending.read_bytes().splitlines())


def test_the_same_batch_comes_from_the_same_seed(tmp_path, settings):
    first, second = (write_batch(tmp_path / name, tmp_path / f"{name}_pending", settings) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_labels_are_delivered_once_and_numbers_never_come_again(tmp_path, settings):
    small = replace(settings, batch_messages=5)
    inbox, pending, raw = tmp_path / "inbox", tmp_path / "pending", tmp_path / "raw"
    names = [write_batch(inbox, pending, small).name for _ in range(2)]
    labels = {name: (pending / name).read_bytes() for name in names}

    delivered = deliver_labels(pending, raw)
    assert delivered == [raw / name for name in names]
    assert {path.name: path.read_bytes() for path in raw.glob("*review*.json")} == labels
    assert deliver_labels(pending, raw) == []

    for path in (*inbox.iterdir(), *raw.iterdir()):
        path.unlink()
    assert write_batch(inbox, pending, small).name == "yelp_academic_dataset_review_batch_0003.json"
    assert [path.name for path in deliver_labels(pending, raw)] == ["yelp_academic_dataset_review_batch_0003.json"]
    assert all("stars" in orjson.loads(line) for path in raw.iterdir() for line in path.read_bytes().splitlines())


def test_there_may_be_nothing_to_deliver(tmp_path):
    assert deliver_labels(tmp_path / "missing", tmp_path / "raw") == []
