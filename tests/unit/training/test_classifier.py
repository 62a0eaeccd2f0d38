from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import refusal

from batch_nlp.config import Config
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.training.classifier import build_classifier


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model.estimator=os.system"], ["model.estimator"]),
        (["model.estimator=XGBClassifier"], ["model.estimator"]),
        (["model.estimator=sklearn_evil.Thing"], ["model.estimator"]),
        (["model.estimator=sklearn.ensembl.RandomForestClassifier"], ["'sklearn.ensemble.RandomForestClassifier'"]),
        (["model.estimator=xgboost.XGBClasifier"], ["'xgboost.XGBClassifier'"]),
        (
            ["model.estimator=sklearn.ensemble.RandomForrestClassifier", "~model.params"],
            ["'sklearn.ensemble.RandomForestClassifier'"],
        ),
        (["model.estimator=sklearn.ensemble.RandomForestRegressor"], ["model.estimator"]),
        (["model.estimator=sklearn.linear_model.Ridge"], ["model.estimator"]),
        (["model.estimator=sklearn.ensemble.IsolationForest", "~model.params"], ["model.estimator"]),
        (["model.estimator=sklearn.preprocessing.StandardScaler"], ["model.estimator"]),
        (["+model.params.max_deph=3"], ["XGBClassifier", "max_deph", "'max_depth'"]),
        (["model=random_forest", "+model.params.n_estimator=3"], ["'n_estimators'"]),
        (
            ["model.estimator=sklearn.neighbors.KNeighborsClassifier", "~model.params"],
            ["training.balance=weights", "KNeighborsClassifier", "training.balance=none"],
        ),
        (["model=linear_svc", "training.decision.calibration=none"], ["LinearSVC"]),
        (["model.inputs=[embedding]", "features=none"], ["model.inputs", "training.inputs", "tabular"]),
        (["training.inputs=[]"], ["training.inputs", "tabular", "embedding", "ngrams"]),
        (["model=transformer", "training.balance=smote"], ["training.balance=smote", "FineTunedTransformer"]),
        (["model=transformer", "training.reducer.enabled=true"], ["training.reducer.enabled", "FineTunedTransformer"]),
        (["model=transformer", "+model.params.epoch=2"], ["'epochs'"]),
        (["model=transformer", "model.params.epochs=two"], ["model.params.epochs=two"]),
        (["model=transformer", "model.params.patience=0"], ["model.params.patience=0", "1 or more"]),
        (["model=transformer", "model.params.device=tpu"], ["model.params.device=tpu", "cpu", "cuda"]),
    ],
)  # fmt: skip
def test_a_wrong_model_setting_is_told_with_what_would_be_right(
    tmp_path: Path, make_config: Callable[..., Config], overrides: list[str], words: list[str]
) -> None:
    with refusal(SettingsError, *words) as wrong:
        build_classifier(make_config(tmp_path, *overrides))
    assert str(wrong.value).startswith(("model.", "training."))
    assert wrong.value.exit_code is ExitCode.SETTINGS


@pytest.mark.parametrize("model", ["xgboost", "logistic_regression", "random_forest", "linear_svc", "transformer"])
def test_every_model_of_the_settings_gets_its_parameters_the_seed_and_the_threads(
    tmp_path: Path, make_config: Callable[..., Config], model: str
) -> None:
    config = make_config(tmp_path, f"model={model}", "seed=7", "engine.threads=2")
    classifier = build_classifier(config)
    params = classifier.estimator.get_params()
    assert params["random_state"] == classifier.random_state == 7
    if model not in ("linear_svc", "logistic_regression"):  # which run on one thread whatever is asked
        assert params["threads" if model == "transformer" else "n_jobs"] == 2
    assert {name: params[name] for name in config.model.params} == dict(config.model.params)


def test_parameters_go_before_the_seed(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    config = make_config(tmp_path, "+model.params.random_state=3", "+model.params.n_jobs=1", "seed=7")
    params = build_classifier(config).estimator.get_params()
    assert (params["random_state"], params["n_jobs"]) == (3, 1)


def test_a_model_that_cannot_weigh_rows_is_used_when_none_are_asked_for(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    neighbours = ["model.estimator=sklearn.neighbors.KNeighborsClassifier", "~model.params", "training.balance=none"]
    assert type(build_classifier(make_config(tmp_path, *neighbours)).estimator).__name__ == "KNeighborsClassifier"


def test_what_goes_around_the_model_is_what_the_settings_say(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    settings = ["balance=smote", "decision.calibration=isotonic", "decision.metric=f1_weighted", "decision.folds=4"]
    params = build_classifier(make_config(tmp_path, *(f"training.{one}" for one in settings))).get_params(deep=False)
    del params["estimator"]
    assert params == {
        "balance": "smote", "calibration": "isotonic", "metric": "f1_weighted", "folds": 4, "random_state": 42,
    }  # fmt: skip


def test_a_transformer_alone_needs_no_other_inputs(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    assert build_classifier(make_config(tmp_path, "model=transformer", "training.inputs=[]"))
