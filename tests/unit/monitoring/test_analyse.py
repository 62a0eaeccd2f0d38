from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.naming import assert_names, names, refusal
from tests.settings import default
from tests.unit.monitoring.batches import CLASSES, USUAL, Messages, make_reference, write_batch

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.errors import DataError
from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.monitoring.analyse import analyse
from batch_nlp.monitoring.findings import Analysis, Status
from batch_nlp.monitoring.reference_tests import compare
from batch_nlp.monitoring.rules import NO_REFERENCE
from batch_nlp.monitoring.scored import Scored
from batch_nlp.storage.reference import Reference

ALL_RULES = [rule for rule in DriftRule if rule not in (DriftRule.share, DriftRule.interval)]
SETTINGS = default(DriftConfig, rules=ALL_RULES)
MIX_SHIFT = Messages(shares=(0.6, 0.15, 0.25))
LESS_SURE = Messages(sure=0.5)
LONGER = Messages(length=2.0)
ELSEWHERE = Messages(embedding=0.3)
NEW_WORDS = Messages(new_words=("zumba", "pilates", "treadmill"))
NEW_GROUP = Messages(groups={"food": 0.2, "other": 0.8})

Judge = Callable[..., Analysis]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return make_reference(tmp_path_factory.mktemp("model"))


@pytest.fixture
def analysis_of(tmp_path: Path, reference: Reference) -> Judge:
    def run(messages: Messages, n: int = 800, settings: DriftConfig = SETTINGS, seed: int = 7, **more: Any) -> Analysis:
        given = {"reference": reference, "window": [], **more}
        batch = write_batch(tmp_path, f"b{seed}", messages, n, seed)
        return analyse(batch, classes=CLASSES, settings=settings, seed=3, **given)

    return run


def ringing(analysis: Analysis) -> set[str]:
    return {finding.rule for finding in analysis.verdict.findings if finding.triggers}


def counting(analysis: Analysis) -> set[str]:
    return {test.name for test in analysis.tests if test.counts}


@pytest.mark.parametrize(
    ("messages", "rules", "expected"),
    [
        (USUAL, set(), set()),
        (MIX_SHIFT, {"reference", "distance"}, {"psi of the predicted classes", "chi-square of the predicted classes"}),
        (LESS_SURE, {"confidence"}, {"ks of the confidence", "ks of the entropy"}),
        (LONGER, {"distance"}, {"ks of text_length"}),
        (NEW_WORDS, {"distance"}, {"ks of unknown words"}),
        (NEW_GROUP, {"distance"}, {"chi-square of category_group"}),
        (ELSEWHERE, {"embedding"}, {"auc of the embedding"}),
    ],
)
def test_each_rule_triggers_for_what_it_watches_and_for_nothing_else(
    analysis_of: Judge, messages: Messages, rules: set[str], expected: set[str]
) -> None:
    analysis = analysis_of(messages)
    assert ringing(analysis) == rules
    assert expected <= counting(analysis)
    assert analysis.verdict.status is (Status.DRIFT if rules else Status.OK)
    assert [finding.rule for finding in analysis.verdict.findings] == [rule.value for rule in ALL_RULES]


@pytest.mark.parametrize("seed", range(20, 32))
def test_batches_of_the_same_world_do_not_ring(analysis_of: Judge, seed: int) -> None:
    analysis = analysis_of(USUAL, 400, seed=seed)
    assert ringing(analysis) == set()
    assert not counting(analysis)
    assert analysis.explanation


def test_a_difference_that_is_significant_and_small_does_not_count(analysis_of: Judge) -> None:
    strict = replace(SETTINGS, min_share_change=0.5, min_psi=5)
    analysis = analysis_of(MIX_SHIFT, settings=strict)
    shares = [test for test in analysis.tests if test.name.endswith("of the predicted classes")]
    assert [test.p_adjusted < SETTINGS.significance for test in shares] == [True, True, True]
    assert not counting(analysis)
    assert not ringing(analysis)
    assert not any(names(analysis.explanation, test.name) for test in shares)


def test_the_time_of_writing_differs_always_and_is_not_compared(analysis_of: Judge) -> None:
    tests = {test.name for test in analysis_of(USUAL).tests}
    assert "ks of word_count" in tests
    assert not {f"ks of {name}" for name in ("year", "month", "weekday", "hour")} & tests


def test_fields_are_compared_by_their_roles_whatever_their_names(reference: Reference) -> None:
    features, predicted, probabilities = USUAL.draw(400, 7)
    balance = np.where(np.arange(400) < 100, np.nan, -1.0)
    fields = [Field("balance", FieldRole.NUMBER), Field("clock", FieldRole.NUMBER, drifts=False)]
    other = reference.sample.assign(balance=-1.0, clock=2.0, shop=reference.sample["category_group"])
    sample = features.assign(balance=balance, clock=1.0, shop=features["category_group"])
    renamed = replace(reference, fields=Fields([*fields, Field("shop", FieldRole.CATEGORY)]), sample=other)
    scored = Scored(predicted, probabilities, sample)
    found = compare(scored, [0.0] * 400, ["en"] * 400, renamed, CLASSES, SETTINGS, seed=3).tests
    values = {test.name: test.value for test in found}
    assert values["ks of balance"] == 0.25  # a quarter is not known any more, which is no balance of -1
    assert {"ks of unknown words", "chi-square of shop", "chi-square of language"} <= set(values)
    assert not {"ks of clock", "ks of word_count", "auc of the embedding"} & set(values)


def test_quantity_and_quality_are_told_apart(analysis_of: Judge) -> None:
    changed = "psi of the predicted classes"
    for messages, mix, quality in (
        (MIX_SHIFT, True, False),
        (LESS_SURE, False, True),
        (replace(MIX_SHIFT, sure=0.5), True, True),
    ):
        analysis = analysis_of(messages)
        confidence = f"{analysis.confidence.batch:.2f}"
        assert names(analysis.explanation, changed) is mix
        assert names(analysis.explanation, confidence) is quality


def test_a_model_that_is_surer_is_no_drift_of_quality(analysis_of: Judge) -> None:
    analysis = analysis_of(Messages(sure=5.0))
    assert "confidence" not in ringing(analysis)
    assert names(analysis.explanation, "surer")


@pytest.mark.parametrize(("n", "status"), [(0, "skipped"), (1, "insufficient"), (29, "insufficient"), (30, "drift")])
def test_small_batches_do_not_decide(analysis_of: Judge, n: int, status: str) -> None:
    """Guarantees 7 and 8."""
    analysis = analysis_of(Messages(shares=(1, 0, 0)), n, default(DriftConfig, rules=list(DriftRule)))
    assert analysis.verdict.status == status
    assert bool(analysis.verdict.findings) == bool(analysis.tests) == (status == "drift")
    assert (analysis.estimated is None) == (n == 0)
    assert all(np.isfinite(test.value) for test in analysis.tests)
    json.dumps(asdict(analysis), allow_nan=False)


def test_all_must_trigger_if_the_settings_say_so(analysis_of: Judge) -> None:
    both = default(DriftConfig, rules=[DriftRule.share, DriftRule.confidence], combine=Combine.all)
    rare = Messages(shares=(0.05, 0.25, 0.7))
    one = analysis_of(rare, settings=both).verdict
    assert one.status is Status.OK
    assert_names(one.reason, 1, 2, "negative", "10%")
    assert analysis_of(replace(rare, sure=0.5), settings=both).verdict.status is Status.DRIFT
    assert analysis_of(rare, settings=replace(both, combine=Combine.any)).verdict.status is Status.DRIFT


def test_without_a_reference_the_rules_that_need_one_say_so_and_the_others_judge(analysis_of: Judge) -> None:
    analysis = analysis_of(MIX_SHIFT, settings=default(DriftConfig, rules=list(DriftRule)), reference=None)
    assert analysis.verdict.status is Status.OK
    reasons = {finding.rule: finding.reason for finding in analysis.verdict.findings}
    assert {reasons[rule.value] for rule in ALL_RULES} == {analysis.explanation} == {NO_REFERENCE}
    for rule in ("share", "interval"):
        assert_names(reasons[rule], "10%", "90%")
    assert (analysis.tests, analysis.changed_words, analysis.prior_shares) == ([], [], {})
    assert analysis.estimated is not None
    rare = analysis_of(
        Messages(shares=(0.02, 0.2, 0.78)), settings=default(DriftConfig, rules=list(DriftRule)), reference=None
    )
    assert ringing(rare) == {"share", "interval"}


def test_without_a_sample_the_predictions_are_compared_all_the_same(tmp_path: Path, reference: Reference) -> None:
    batch = write_batch(tmp_path, "b", MIX_SHIFT, 500, 7)
    batch.sample.unlink()
    analysis = analyse(batch, reference, CLASSES, SETTINGS, [], 3)
    assert ringing(analysis) == {"reference", "distance"}
    assert (analysis.unknown_words.batch, analysis.changed_words) == (None, [])
    reason = next(found.reason for found in analysis.verdict.findings if found.rule == "embedding")
    assert not names(reason, "AUC")


def test_the_window_judges_what_single_batches_are_too_small_for(tmp_path: Path, reference: Reference) -> None:
    settings = default(DriftConfig, window=3)
    batches = [write_batch(tmp_path, f"b{day}", Messages(shares=(0.04, 0.2, 0.76)), 20, day) for day in range(1, 6)]
    *earlier, last = batches
    analysis = analyse(last, reference, CLASSES, settings, earlier, 3)
    assert analysis.verdict.status is Status.INSUFFICIENT
    assert analysis.window is not None
    assert analysis.window_batches == ["b3", "b4", "b5"]
    assert sum(share.messages for share in analysis.window.shares) == 60
    assert analysis.window.status is Status.DRIFT
    assert analysis.deciding is analysis.window
    alone = analyse(last, reference, CLASSES, replace(settings, window=1), earlier, 3)
    assert (alone.window, alone.window_batches) == (None, [])
    first = analyse(earlier[0], reference, CLASSES, settings, [], 3)
    assert (first.window, first.window_batches) == (first.verdict, ["b1"])


def test_the_rules_on_texts_and_vectors_judge_the_window_too(tmp_path: Path, reference: Reference) -> None:
    settings = default(DriftConfig, rules=[DriftRule.embedding, DriftRule.distance], window=4)
    batches = [write_batch(tmp_path, f"b{day}", replace(ELSEWHERE, length=2.0), 25, day) for day in range(1, 5)]
    *earlier, last = batches
    found = analyse(last, reference, CLASSES, settings, earlier, 3).window
    assert found is not None
    assert [finding.triggers for finding in found.findings] == [True, True]


def test_shares_confidence_and_priors_are_of_all_messages_not_of_the_sample(
    tmp_path: Path, reference: Reference
) -> None:
    batch = write_batch(tmp_path, "b", MIX_SHIFT, 3000, 7, size=100)
    _, predicted, probabilities = MIX_SHIFT.draw(3000, 7)
    analysis = analyse(batch, reference, CLASSES, SETTINGS, [], 3)
    assert [share.messages for share in analysis.verdict.shares] == np.bincount(predicted).tolist()
    assert analysis.confidence.batch == pytest.approx(probabilities[np.arange(3000), predicted].mean())
    entropy = -(probabilities * np.log(probabilities)).sum(axis=1).mean()
    assert analysis.entropy.batch == pytest.approx(entropy)
    assert analysis.estimated is not None
    assert analysis.estimated.messages == 3000
    assert analysis.prior_shares["negative"] > reference.training_shares[0] + 0.2
    assert sum(analysis.prior_shares.values()) == pytest.approx(1)
    assert sum(analysis.reference_shares.values()) == pytest.approx(1)


def test_words_that_came_and_went_are_named(analysis_of: Judge) -> None:
    analysis = analysis_of(NEW_WORDS)
    assert {word.word for word in analysis.changed_words[:3]} == set(NEW_WORDS.new_words)
    for word in analysis.changed_words[:3]:
        assert word.reference_share == 0
        assert 0.1 < word.share < 0.4
        assert word.p_value < SETTINGS.significance
    assert analysis.unknown_words.batch == pytest.approx(0.07, abs=0.03)
    assert analysis.unknown_words.reference == pytest.approx(0)
    assert analysis_of(USUAL).changed_words == []


def test_the_language_of_the_messages_is_told(analysis_of: Judge) -> None:
    languages = analysis_of(USUAL).languages
    assert next(iter(languages)) == "en"
    assert languages["en"].batch == pytest.approx(languages["en"].reference, abs=0.05)
    assert sum(found.batch or 0 for found in languages.values()) == pytest.approx(1)


def test_examples_are_named_by_id_with_the_reason(analysis_of: Judge) -> None:
    shift = replace(NEW_WORDS, shares=(0.05, 0.25, 0.7))
    features, predicted, probabilities = shift.draw(300, 7)
    sure = dict(zip(features["message_id"], probabilities[np.arange(300), predicted], strict=True))
    examples = analysis_of(shift, 300, default(DriftConfig)).examples
    by_reason = {why: [found for found in examples if found.why == why] for why in {found.why for found in examples}}
    assert [len(found) for found in by_reason.values()] == [5, 5, 5]
    [unsure] = [found for why, found in by_reason.items() if names(why, "sure")]
    [unknown] = [found for why, found in by_reason.items() if names(why, "unknown")]
    assert any(names(why, "negative") for why in by_reason)
    assert {found.message_id for found in unsure} == set(sorted(sure, key=sure.__getitem__)[:5])
    assert all(found.probability == pytest.approx(sure[found.message_id]) for found in examples)
    texts = dict(zip(features["message_id"], features["text"], strict=True))
    assert all("zumba" in texts[example.message_id] or "pil" in texts[example.message_id] for example in unknown)


def test_no_text_of_a_message_is_in_the_analysis(analysis_of: Judge) -> None:
    found = json.dumps(
        asdict(analysis_of(NEW_WORDS, settings=default(DriftConfig, rules=list(DriftRule)))), allow_nan=False
    )
    features, _, _ = NEW_WORDS.draw(800, 7)
    for text in features["text"]:
        words = text.split()
        assert not any(" ".join(words[place : place + 3]) in found for place in range(len(words) - 2))


def test_the_same_batch_gives_the_same_analysis(analysis_of: Judge) -> None:
    assert replace(analysis_of(MIX_SHIFT), seconds=0) == replace(analysis_of(MIX_SHIFT), seconds=0)


def test_damaged_predictions_are_refused_by_name(tmp_path: Path, reference: Reference) -> None:
    """Guarantee 2."""
    batch = write_batch(tmp_path, "b", USUAL, 500, 7)
    for path in (batch.predictions, batch.sample):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with refusal(DataError, path.name):
            analyse(batch, reference, CLASSES, SETTINGS, [], 3)
        path.write_bytes(whole)


def test_a_band_that_no_batch_can_satisfy_gives_way_to_the_reference(analysis_of: Judge, warnings: list[str]) -> None:
    """With classes that were found in the data, nobody could have refused it before."""
    settings = default(DriftConfig, low=0.4, window=2)
    usual = analysis_of(USUAL, settings=settings)
    assert usual.verdict.status == "ok"
    assert [finding.rule for finding in usual.verdict.findings] == ["reference"]
    assert not any(share.out for share in usual.verdict.shares)
    assert ringing(analysis_of(MIX_SHIFT, settings=settings)) == {"reference"}
    assert len(warnings) == 2
    for warning in warnings:
        assert_names(warning, "drift.low=0.4", 3)
