"""What features a message gets, and the version that follows from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import refusal

from batch_nlp.config import Config
from batch_nlp.config.builder import step_name
from batch_nlp.errors import SettingsError
from batch_nlp.feature.definition import FeatureDefinition, ignored_settings
from batch_nlp.feature.pipeline import borrowed_definition, feature_fields

MakeConfig = Callable[..., Config]
COLUMNS = "dataset.messages.columns"
MASK = "batch_nlp.steps.mask.Mask"


@pytest.fixture
def defined(tmp_path: Path, make_config: MakeConfig) -> Callable[..., FeatureDefinition]:
    return lambda *overrides: FeatureDefinition.from_config(make_config(tmp_path, *overrides))


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory, make_config: MakeConfig) -> str:
    return FeatureDefinition.from_config(make_config(tmp_path_factory.mktemp("default"))).version


def names(definition: FeatureDefinition) -> list[str]:
    return [step_name(step) for step in definition.steps]


def test_a_version_is_twelve_hexadecimal_digits(default: str) -> None:
    assert re.fullmatch("[0-9a-f]{12}", default)


@pytest.mark.parametrize(
    "override",
    [
        "dataset=yelp",
        f"+{COLUMNS}.title={{role: text}}",
        f"+{COLUMNS}.title={{role: category}}",
        f"+{COLUMNS}.title={{role: number}}",
        f"+{COLUMNS}.title={{role: raw}}",
        f"+{COLUMNS}.title={{role: key}}",
        f"{COLUMNS}.user_id={{role: category, of: null}}",
        f"+{COLUMNS}.user_id.name=author",
        f"~{COLUMNS}.business_id",
        "dataset.split.column=user_id",
        "dataset.side_tables.0.columns.elite.role=category",
        "dataset.side_tables.0.key=id",
        "dataset.side_tables.1.name=place",
        "features.clean_text.max_chars=19999",
        "dataset.steps.0.category_groups.nightlife=[pubs]",
        "+dataset.steps.0.category_groups.casino=[casino]",
        "features.embedding.dims=128",
        "features.embedding.max_tokens=128",
        "features=minilm",
        "dataset.steps=[]",
        "dataset.steps.1._target_=batch_nlp.steps.strip_html.StripHtml",
    ],
)
def test_another_definition_of_the_features_is_another_version(
    defined: Callable[..., FeatureDefinition], default: str, override: str
) -> None:
    assert defined(override).version != default


@pytest.mark.parametrize(
    "override",
    [
        "features.name=mine",
        "features.embedding.batch_size=7",
        "features.embedding.device=cuda",
        "features.embedding.cache_mb=7",
        "dataset.raw_dir=/elsewhere",
        "dataset.generate=false",
        # how messages are found, and which of their columns are ids, times, labels or nothing
        "dataset.messages.files='*'",
        "dataset.messages.rows=_source",
        "dataset.messages.where=\"city = 'Rome'\"",
        f"+{COLUMNS}.ID={{role: id}}",
        f"{COLUMNS}.review_id={{role: ignore}}",
        f"+{COLUMNS}.more={{role: ignore}}",
        "dataset.label.column=rating",
        "dataset.label.classes=auto",
        "dataset.forbidden=[]",
        "dataset.split.by=random",
        "dataset.side_tables.0.files='*people*'",
        # steps that compute nothing
        "features.steps.1.layer=primary",
        "+features.steps.7._name_=counts",
        "engine.batch_rows=7",
        "engine.threads=2",
        "seed=7",
        "model=random_forest",
        "training.holdout=0.3",
        "drift=interval",
        "inference.inbox=/elsewhere",
        "sample.messages=10",
        "log_level=DEBUG",
        "+allow={a.b.C: 1}",
    ],
)
def test_what_changes_no_feature_changes_no_version(
    defined: Callable[..., FeatureDefinition], default: str, override: str
) -> None:
    assert defined(override).version == default


def test_the_order_counts_of_texts_of_steps_and_of_what_the_first_match_decides(
    defined: Callable[..., FeatureDefinition], default: str
) -> None:
    definition = defined(f"+{COLUMNS}.title={{role: text}}").to_dict()
    columns, steps = definition["columns"], definition["steps"]
    (groups,) = (step[-1][1] for step in steps if step[-1][0] == "category_groups")
    assert list(groups)[:2] == ["nightlife", "cafe"]
    turned = [
        definition,
        {**definition, "columns": columns[::-1]},
        {**definition, "steps": [*steps[:6], steps[7], steps[6], *steps[8:]]},
    ]
    found = [FeatureDefinition.from_dict(json.loads(json.dumps(one))) for one in turned]
    found.append(FeatureDefinition.from_dict(definition))
    (step,) = (step for step in found[-1].steps if "category_groups" in step)
    step["category_groups"] = dict(reversed(step["category_groups"].items()))
    assert len({one.version for one in found}) == 4


def test_a_definition_survives_the_manifest_of_a_model(defined: Callable[..., FeatureDefinition]) -> None:
    own = "tests.own_steps.Shouting"
    definition = defined(
        "features.embedding.dims=32",
        f"+{COLUMNS}.at={{role: time, format: '%d.%m.%Y'}}",
        f"+{COLUMNS}.price={{role: number, name: cost}}",
        f"+allow={{{own}: 3}}",
        f"dataset.steps=[{{_target_: {own}, _after_: clean_text}}]",
        "dataset.split.column=price",
    )
    again = FeatureDefinition.from_dict(json.loads(json.dumps(definition.to_dict())))
    assert again == definition
    assert again.version == definition.version
    assert (again.allow, again.own, again.group) == ({own: 3}, ["shouting"], "price")


COMMON = [
    "extract", "keep_extracted", "validate", "remove_duplicates", "clean_text", "keep_clean", "text_counts",
    "date_parts",
]  # fmt: skip


def test_what_a_dataset_adds_comes_before_the_embedding_or_after_the_step_it_names(
    defined: Callable[..., FeatureDefinition],
) -> None:
    def mask(name: str, after: str = "") -> str:
        return f"{{_target_: {MASK}, _name_: {name}, patterns: {{x: y}}{f', _after_: {after}' if after else ''}}}"

    steps = ", ".join([mask("a"), mask("b", "clean_text"), mask("c"), mask("d", "b"), mask("e", "embedding")])
    found = names(defined(f"dataset.steps=[{steps}]"))
    clean = COMMON.index("clean_text") + 1
    assert found == [*COMMON[:clean], "b", "d", *COMMON[clean:], "a", "c", "embedding", "e"]


def test_without_an_embedding_they_come_last(defined: Callable[..., FeatureDefinition]) -> None:
    kept = "{_target_: batch_nlp.steps.extract.Extract}, {_target_: batch_nlp.steps.clean_text.CleanText}"
    added = f"{{_target_: {MASK}, patterns: {{x: y}}}}"
    definition = defined(f"features.steps=[{kept}]", f"dataset.steps=[{added}]")
    assert names(definition) == ["extract", "clean_text", "mask"]
    assert definition.own == ["mask"]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (f"[{{_target_: {MASK}, _after_: clean_txt}}]", ["dataset.steps: _after_=clean_txt", "'clean_text'"]),
        ("[{_target_: batch_nlp.steps.clean_text.CleanText}]", ["more than one step is called clean_text"]),
    ],
)
def test_a_step_that_has_no_place_is_refused(
    defined: Callable[..., FeatureDefinition], steps: str, words: list[str]
) -> None:
    """Guarantee 10."""
    with pytest.raises(SettingsError) as refused:
        defined(f"dataset.steps={steps}")
    for word in words:
        assert word in str(refused.value)


def test_a_source_without_times_has_no_parts_of_dates(defined: Callable[..., FeatureDefinition]) -> None:
    timed, timeless = defined(), defined(f"{COLUMNS}.date.role=ignore", "dataset.steps=[]")
    assert "date_parts" in names(timed)
    assert "date_parts" not in names(timeless)
    assert {"year", "hour"} <= {*feature_fields(timed).numbers}
    assert not {"year", "hour"} & {*feature_fields(timeless).numbers}


def test_a_step_of_ones_own_may_have_a_parameter_called_engine(defined: Callable[..., FeatureDefinition]) -> None:
    own = "tests.own_steps.Trimmed"
    assert feature_fields(defined(f"+allow={{{own}: 1}}", f"dataset.steps=[{{_target_: {own}, engine: c}}]")).names


def test_two_steps_that_make_one_field_are_refused_with_what_to_change(
    defined: Callable[..., FeatureDefinition],
) -> None:
    definition = defined(f"+{COLUMNS}.year={{role: category}}")
    with refusal(SettingsError, "extract", "date_parts", "year", "COLUMN.name"):
        feature_fields(definition)
    renamed = feature_fields(defined(f"+{COLUMNS}.year={{role: category, name: built}}"))
    assert ("built" in renamed.categories, "year" in renamed.numbers) == (True, True)


def test_a_borrowed_champion_scores_ones_own_columns_by_its_common_steps(
    defined: Callable[..., FeatureDefinition], warnings: list[str]
) -> None:
    theirs, own = defined("dataset=products"), defined("dataset=support_tweets")
    found = borrowed_definition(theirs, own)
    assert found.columns == own.columns
    assert "strip_html" in names(theirs)
    assert names(found) == [name for name in names(theirs) if name != "strip_html"]
    assert "products" in warnings[-1]
    assert "strip_html" in warnings[-1]


@pytest.mark.parametrize(
    ("overrides", "ignored"),
    [
        ((), []),
        (("+dataset.messages.columns.reviewId={role: id}",), []),
        (("+dataset.messages.columns.when={role: time}",), []),
        (("dataset.side_tables=[]", "~dataset.messages.columns.user_id", "~dataset.messages.columns.business_id"),
         ["dataset.messages.columns.user_id", "dataset.messages.columns.business_id",
          "dataset.side_tables (user)", "dataset.side_tables (business)"]),
        (("+dataset.messages.columns.body={role: text}",), ["dataset.messages.columns.body"]),
        (("+dataset.messages.columns.date.zone=Europe/Rome",), ["dataset.messages.columns.date"]),
        (("features=none", "training.inputs=[tabular,ngrams]", "features.clean_text.max_chars=7"),
         ["step clean_text (max_chars)", "step embedding (backend)"]),
        (("dataset.steps=[]",), ["step business_features", "step user_features"]),
    ],
)  # fmt: skip
def test_what_differs_from_the_champion_and_has_no_effect_is_named(
    tmp_path: Path, make_config: MakeConfig, overrides: tuple[str, ...], ignored: list[str]
) -> None:
    used = FeatureDefinition.from_config(make_config(tmp_path))
    # as it comes out of a model's manifest
    used = FeatureDefinition.from_dict(used.to_dict())
    assert ignored_settings(FeatureDefinition.from_config(make_config(tmp_path, *overrides)), used) == ignored
