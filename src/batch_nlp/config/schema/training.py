"""Settings of models: what they learn from, and how they are judged, published and tracked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import TypedDict

from batch_nlp.config.schema.enums import Balance, Calibration, Encoding, Input, Split, TrackingBackend
from batch_nlp.config.schema.section import Name, Number, Part, Positive, Share, Steps, refusal, section

Metric = Literal["f1_weighted", "f1_macro"]
DecisionMetric = Literal["f1_macro", "f1_weighted", "shares"]


def _is_threshold(value: Any) -> Any:
    if value not in ("auto", None) and not (isinstance(value, int | float) and 0 <= value <= 1):
        raise ValueError("auto, null, or a number between 0 and 1")
    return value


Threshold = Annotated[Any, AfterValidator(_is_threshold)]


@section
class ModelConfig:
    name: str = Field(description="Name of the model, for people")
    estimator: str = Field(description="Import path of a scikit-learn compatible classifier (sklearn.* or xgboost.*)")
    # `~model.params` removes those of the file
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of that classifier")
    inputs: list[Input] | None = Field(
        default=None,
        description="What it learns from unless training.inputs says so; null: tabular, embedding and ngrams",
    )
    alternative: ModelConfig | None = Field(
        default=None,
        description="Model to train instead on many classes, short texts or few messages; null: none",
    )


@section
class NgramsConfig:
    max_n: Positive = Field(description="Words in the longest n-gram")
    min_df: Positive = Field(description="Minimum number of messages in which an n-gram occurs")
    max_features: Positive = Field(description="Maximum number of n-grams; the most frequent are kept")
    c: float = Field(gt=0, description="Inverse regularisation strength of the logistic regression on the n-grams")
    folds: int = Field(ge=2, description="Folds of the out-of-fold scores")
    sentences: bool = Field(description="Add how the scores vary between the sentences of a message")


@section
class ReducerConfig:
    enabled: bool = Field(description="Drop columns that add little; fitted on the training rows")
    constant: Share = Field(description="Drop a column if this share of its values is the same")
    correlated: Share = Field(description="Drop one of two columns whose correlation exceeds this")
    importance: float = Field(
        ge=0, description="Keep columns whose random-forest importance exceeds this multiple of the mean"
    )


# Defaults: the name `none_of_these`; the coverage 0.97, or a threshold learned from dataset.label.out_of_scope
Abstain = TypedDict(
    "Abstain",
    {
        "as": NotRequired[Name],
        "coverage": NotRequired[Annotated[float, Field(gt=0, lt=1)]],
    },
)
Abstain.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined] # how pydantic is told of a TypedDict


@section
class DecisionConfig:
    metric: DecisionMetric | None = Field(
        description="What the decision weights are tuned for, out-of-fold: f1_macro, f1_weighted, or shares, which "
        "makes each class as frequent in the predictions as in the labels; null predicts the most probable class"
    )
    calibration: Calibration = Field(
        description="How scores become probabilities: none, temperature, logistic or isotonic"
    )
    folds: int = Field(
        ge=2, description="Folds of the out-of-fold scores on which calibration and decision weights are fitted"
    )
    abstain: Abstain | None = Field(
        description="Predict none of the classes if the model is too unsure: {as: none_of_these, coverage: 0.97}. "
        "coverage: share of the out-of-fold messages that are still answered; without it, the threshold is learned "
        "from the messages of dataset.label.out_of_scope. null: always predict a class"
    )


@section
class ThresholdsConfig:
    f1_macro: Threshold = Field(
        description="Minimum macro F1 on the hold-out. auto: 0.5 for up to three classes; for k > 3 classes, 0.05 "
        "above a guess (1/k). null: no minimum"
    )
    f1_weighted: Threshold = Field(
        description="Minimum weighted F1 on the hold-out. auto: 0.6 for up to three classes; for more, as for macro F1"
    )
    recall: Threshold = Field(
        description="Minimum recall of each class on the hold-out. auto: 0.2 for up to three classes; no minimum for "
        "more"
    )


@section
class GateConfig:
    tolerance: float | None = Field(
        description="How far below the champion the lower bound of a candidate's selection metric may lie; null does "
        "not compare them"
    )
    max_recall_drop: float | None = Field(
        description="How far the recall of any class may fall below the champion's; null sets no limit"
    )
    bootstrap_samples: int = Field(ge=100, description="Resamples of the paired bootstrap")
    confidence: Part = Field(description="One-sided confidence of the lower bound")
    replace_other_dataset: bool = Field(
        description="Let a candidate replace a champion that was trained on real data of another dataset"
    )


@section
class TrainingConfig:
    steps: Steps = Field(
        description="Steps of the training pipeline in order, each {_target_: class, parameter: value}"
    )
    split: Split | None = Field(
        description="time, random or group, to override dataset.split.by for a run; null takes the dataset's"
    )
    holdout: Part = Field(description="Share of the labelled messages that is held out")
    window: Number = Field(
        description="Which window of that size a split by time holds out: 0 the newest, 1 the one before, and so on. "
        "Later messages are left out. A model of an older window is measured and never published"
    )
    rows_in_memory: Number = Field(
        description="Number of labelled messages above which training keeps its large arrays on disk (in paths.data, "
        "about 5 kB per message) instead of in memory; 0: always. The model is the same"
    )
    inputs: list[Input] | None = Field(
        description="What models learn from: any of tabular, embedding, ngrams; null: what model.inputs names"
    )
    balance: Balance = Field(
        description="none, weights (inverse to the class sizes) or smote (synthetic messages of the smaller classes)"
    )
    encoding: Encoding = Field(description="How categories become numbers")
    min_category_share: Share = Field(
        description="Minimum share of the training rows in which a category occurs to get a column of its own"
    )
    ngrams: NgramsConfig = Field(description="Word n-grams of the step encoding")
    reducer: ReducerConfig = Field(description="The optional step dimensionality_reducer")
    metric: Metric = Field(description="Metric that selects models: f1_weighted or f1_macro")
    decision: DecisionConfig = Field(description="How probabilities are calibrated and turned into decisions")
    thresholds: ThresholdsConfig = Field(description="What a candidate must reach, whatever the champion achieves")
    gate: GateConfig = Field(description="What a candidate must show against the champion")
    promote: bool | None = Field(
        description="Publish a candidate that passes its gate; null: yes in a single run, no in a multirun"
    )
    force: bool = Field(description="Train even if the champion was trained on the same data with the same settings")
    refit: bool = Field(
        description="Fit a candidate that passed its gate again on all labelled messages, with the calibration and "
        "decision weights that were judged"
    )
    max_equal_times: Share = Field(
        description="Share of messages with the same time, at the edge of the hold-out, above which a split by time is "
        "refused"
    )
    min_class_messages: Positive = Field(description="Minimum number of labelled messages per class")
    keep_versions: int = Field(ge=2, description="Versions kept in the registry; a rollback needs two")

    @model_validator(mode="after")
    def _classes_fill_the_folds(self) -> TrainingConfig:
        for name, folds in (("ngrams", self.ngrams.folds), ("decision", self.decision.folds)):
            if self.min_class_messages < folds:
                need = f"at least training.{name}.folds={folds}: one message of each class per fold"
                raise refusal("min_class_messages", self.min_class_messages, need)
        return self


def _are_rising(shares: list[float]) -> list[float]:
    if not shares or shares != sorted(set(shares)) or not 0 < shares[0] <= shares[-1] <= 1:
        raise ValueError("shares above 0 and up to 1 in rising order, such as [0.1,0.3,0.6,1.0]")
    return shares


@section
class LearningCurveConfig:
    shares: Annotated[list[float], AfterValidator(_are_rising)] = Field(
        description="Shares of the training messages to train on, in rising order; each takes the newest messages"
    )


@section
class TrackingConfig:
    backend: TrackingBackend = Field(description="none, or mlflow (an extra: uv sync --extra mlflow)")
    uri: str | None = Field(
        description="Address of the tracking server; null takes the backend's default, a local database"
    )
    experiment: Annotated[str, Field(pattern=r"^\w[\w .-]*$")] = Field(
        description="Name of the experiment in which runs are collected; the names of registered models begin with it"
    )
