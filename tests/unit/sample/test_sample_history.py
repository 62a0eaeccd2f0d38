"""The history: Yelp's tables, natural shares, joins, and faults in the shares that were asked for."""

from __future__ import annotations

import hashlib
import re
import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import mean, median

import pytest
from tests.settings import default

from batch_nlp.config import SampleConfig
from batch_nlp.sample import write_history

REVIEWS = "yelp_academic_dataset_review.json"
USERS = "yelp_academic_dataset_user.json"
BUSINESSES = "yelp_academic_dataset_business.json"

REVIEW_COLUMNS = {"review_id", "user_id", "business_id", "stars", "useful", "funny", "cool", "text", "date"}
USER_COLUMNS = {
    *("user_id", "name", "review_count", "yelping_since", "friends", "useful", "funny", "cool", "fans", "elite"),
    *("average_stars", "compliment_hot", "compliment_more", "compliment_profile", "compliment_cute"),
    *("compliment_list", "compliment_note", "compliment_plain", "compliment_cool", "compliment_funny"),
    *("compliment_writer", "compliment_photos"),
}
BUSINESS_COLUMNS = {
    *("business_id", "name", "address", "city", "state", "postal_code", "latitude", "longitude", "stars"),
    *("review_count", "is_open", "attributes", "categories", "hours"),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_same_seed_writes_the_same_bytes_and_nothing_else(tmp_path, settings, history):
    write_history(tmp_path, replace(settings, vocabulary=1.0, class_mix=[1.0, 0.0, 0.0], length=9.0))
    assert contents(tmp_path) == contents(history)
    assert set(contents(tmp_path)) == {REVIEWS, USERS, BUSINESSES}


def test_another_seed_writes_other_messages_and_ids(tmp_path, settings, history, read):
    write_history(tmp_path, replace(settings, seed=settings.seed + 1))
    for column in ("review_id", "user_id", "business_id"):
        here, there = ({row[column] for row in read(folder / REVIEWS)[0]} for folder in (tmp_path, history))
        assert not here & there


@pytest.mark.parametrize(
    ("name", "columns"), [(REVIEWS, REVIEW_COLUMNS), (USERS, USER_COLUMNS), (BUSINESSES, BUSINESS_COLUMNS)]
)
def test_columns_are_those_of_yelp(history, read, name, columns):
    rows, cut = read(history / name)
    assert not cut
    assert all(set(row) == columns for row in rows)


def test_number_of_rows_follows_the_messages(history, read):
    assert [len(read(history / name)[0]) for name in (REVIEWS, USERS, BUSINESSES)] == [4000, 1000, 200]


def test_class_shares_are_natural(history, read):
    stars = Counter(row["stars"] for row in read(history / REVIEWS)[0])
    assert set(stars) == {1.0, 2.0, 3.0, 4.0, 5.0}
    shares = [(stars[1.0] + stars[2.0]) / 4000, stars[3.0] / 4000, (stars[4.0] + stars[5.0]) / 4000]
    assert shares == pytest.approx([0.20, 0.13, 0.67], abs=0.01)


def test_lengths_have_a_heavy_tail(history, read):
    words = sorted(len(row["text"].split()) for row in read(history / REVIEWS)[0])
    assert 85 < mean(words) < 115
    assert 55 < median(words) < 80
    assert words[0] == 1
    assert words[-1] > 500


def test_texts_are_varied_and_untidy(history, read):
    texts = [row["text"] for row in read(history / REVIEWS)[0]]
    assert len(set(texts)) > 0.98 * len(texts)
    for sign in ("😍", "definately", "not bad", "!!!", "\n\n", "muy", "とても", "thanks so much for ruining"):
        assert any(sign in text.lower() for text in texts), sign
    assert not any(re.search(r"[{}]|%s|%%", text) for text in texts)


def test_most_reviews_join_and_a_few_join_nothing(history, read):
    reviews = read(history / REVIEWS)[0]
    users = {row["user_id"] for row in read(history / USERS)[0]}
    businesses = {row["business_id"] for row in read(history / BUSINESSES)[0]}
    found = Counter((row["user_id"] in users, row["business_id"] in businesses) for row in reviews)
    assert found[True, True] > 0.95 * len(reviews)
    assert all(found[pair] > 0 for pair in ((True, False), (False, True), (False, False)))
    assert len({row["review_id"] for row in reviews}) == len(reviews)
    assert all(re.fullmatch(r"[\w-]{22}", row["review_id"]) for row in reviews)


def test_dates_span_years_and_follow_the_sign_up(history, read):
    reviews = read(history / REVIEWS)[0]
    since = {row["user_id"]: row["yelping_since"] for row in read(history / USERS)[0]}
    years = {datetime.strptime(row["date"], "%Y-%m-%d %H:%M:%S").year for row in reviews}
    assert years == set(range(2012, 2025))
    joined = [row for row in reviews if row["user_id"] in since]
    early = sum(row["date"] < since[row["user_id"]] for row in joined) / len(joined)
    assert 0 < early < 0.05


def test_elite_years_have_yelps_oddities(history, read):
    elites = Counter(row["elite"] for row in read(history / USERS)[0])
    assert elites[""] > elites["None"] > 0
    years = [elite for elite in elites if elite not in ("", "None")]
    assert years
    assert any("20,20" in elite for elite in years)
    assert all(re.fullmatch(r"(20\d\d|20,20)(,(20\d\d|20,20))*", elite) for elite in years)
    assert not any("2020" in elite.split(",") for elite in years)


def test_averages_leak_the_label_as_the_real_ones_do(history, read):
    stars = {row["business_id"]: row["stars"] for row in read(history / BUSINESSES)[0]}
    joined = [row for row in read(history / REVIEWS)[0] if row["business_id"] in stars]
    happy = mean(stars[row["business_id"]] for row in joined if row["stars"] > 3)
    angry = mean(stars[row["business_id"]] for row in joined if row["stars"] < 3)
    assert happy > angry + 0.2


def test_duplicates_repeat_an_earlier_line(tmp_path, settings):
    write_history(tmp_path, replace(settings, duplicate_share=0.05))
    lines = (tmp_path / REVIEWS).read_bytes().splitlines()
    assert len(lines) - len(set(lines)) == pytest.approx(0.05 * 4000, abs=8)
    assert max(Counter(lines).values()) == 2


def test_broken_lines_come_in_every_kind(tmp_path, settings, read):
    write_history(tmp_path, replace(settings, broken_share=0.05))
    rows, cut = read(tmp_path / REVIEWS)
    kinds = [
        cut,
        [row for row in rows if "text" not in row],
        [row for row in rows if "text" in row and row["text"] is None],
        [row for row in rows if row.get("text") and not row["text"].strip()],
        [row for row in rows if not 1 <= row["stars"] <= 5],
        [row for row in rows if not re.fullmatch(r"20[12]\d-[01]\d-[0-3]\d [\d:]{8}", row["date"])],
        [row for row in rows if row["date"].startswith("2019-13")],
    ]
    assert all(kinds)
    assert sum(map(len, kinds[:6])) == pytest.approx(0.05 * 4000, abs=8)


def test_progress_counts_every_message(tmp_path, settings):
    seen: list[int] = []
    write_history(tmp_path, replace(settings, messages=2500), seen.append)
    assert sum(seen) == 2500
    assert len(seen) > 1


def test_an_interrupted_run_leaves_no_review_file(tmp_path, settings):
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_history(tmp_path, settings, interrupt)
    assert set(contents(tmp_path)) == {USERS, BUSINESSES}


def test_memory_does_not_grow_with_the_messages(tmp_path):
    def peak(messages: int) -> int:
        tracemalloc.start()
        write_history(tmp_path, default(SampleConfig, messages=messages))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(100)  # fills the tables of phrases, which stay
    assert peak(4_000) < 1.3 * peak(1_000)


def test_the_sample_stays_what_it_was(tmp_path):
    write_history(tmp_path, default(SampleConfig, messages=300))
    digest = hashlib.sha256(b"".join(contents(tmp_path).values())).hexdigest()
    # the figures in the documents were measured on it
    assert digest == "fc1342585345e710b3c79d692abffe140c50f2b32aaf93a554253b4ee63df85f"
