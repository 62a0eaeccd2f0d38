"""Settings of models: what they learn from, how they are judged, published and tracked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from batch_nlp.config.schema.enums import Balance, Calibration, Encoding, Input, Split, TrackingBackend


@dataclass(frozen=True)
class ModelConfig:
    # Name of the model, for people
    name: str = MISSING
    # Import path of a scikit-learn compatible classifier (sklearn.* or xgboost.*)
    estimator: str = MISSING
    # Parameters of that classifier
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NgramsConfig:
    # Longest n-gram in words
    max_n: int = 2
    # Messages in which an n-gram must occur
    min_df: int = 3
    # N-grams kept at most, by frequency
    max_features: int = 150000
    # Inverse regularisation of the logistic regression on the n-grams
    c: float = 4.0
    # Folds of the out-of-fold scores
    folds: int = 5
    # Tell also how the scores spread over the sentences of a message
    sentences: bool = True


@dataclass(frozen=True)
class ReducerConfig:
    # Drop columns, fitted on the training rows
    enabled: bool = False
    # Drop a column when this share of its values is the same
    constant: float = 0.998
    # Drop one of two columns correlated over this
    correlated: float = 0.95
    # Keep columns whose random-forest importance is over this factor of the mean
    importance: float = 0.1


@dataclass(frozen=True)
class DecisionConfig:
    # Out-of-fold metric that the decision thresholds are tuned for: f1_macro or f1_weighted; null takes the most
    # probable class
    metric: str | None = "f1_macro"
    # How scores become probabilities: none, temperature, logistic, isotonic
    calibration: Calibration = Calibration.logistic
    # Folds of the out-of-fold scores that calibration and thresholds are fitted on
    folds: int = 3


@dataclass(frozen=True)
class ThresholdsConfig:
    # Least macro F1 on the hold-out. auto: 0.5 with up to three classes; with k of them 0.05 more than a guess, 1/k;
    # null does not ask
    f1_macro: Any = None
    # Least weighted F1 on the hold-out. auto: 0.6 with up to three classes, and with more as for the macro F1
    f1_weighted: Any = None
    # Least recall of any class on the hold-out. auto: 0.2 with up to three classes, with more it is not asked
    recall: Any = None


@dataclass(frozen=True)
class GateConfig:
    # How much worse than the champion the lower bound of a candidate's selection metric may be; null does not compare
    tolerance: float | None = None
    # How far the recall of any class may fall below the champion's; null does not ask
    max_recall_drop: float | None = None
    # Resamples of the paired bootstrap
    bootstrap_samples: int = 1000
    # One-sided confidence of the lower bound
    confidence: float = 0.95
    # Whether a candidate of another dataset may replace a champion that was trained on real data
    replace_other_dataset: bool = False


@dataclass(frozen=True)
class TrainingConfig:
    # Steps of the training pipeline in their order, each {_target_: class, parameter: value}
    steps: list[Any] = MISSING
    # time, random or group, where a run is to hold out other messages than dataset.split says
    split: Split | None = None
    # Share of the labelled messages that is held out
    holdout: float = 0.2
    # Which window of that share is held out by a split by time: 0 the newest, 1 the one before it, ...; messages after
    # the window are left out. A model of another window than the newest is measured and never published
    window: int = 0
    # Labelled messages over which training keeps its large arrays in files without a name on the disk of paths.data,
    # about 5 kB a message, rather than in memory; 0: always. The model is the same
    rows_in_memory: int = 200_000
    # What models learn from: any of tabular, embedding, ngrams
    inputs: list[Input] = field(default_factory=lambda: [Input.tabular, Input.embedding, Input.ngrams])
    # none, weights inverse to the class sizes, or smote (messages made up between those of the smaller classes)
    balance: Balance = Balance.weights
    # How categories become numbers
    encoding: Encoding = Encoding.one_hot
    # Least share of the training rows in which a category must occur to get a column of its own
    min_category_share: float = 0.005
    # Settings of the word n-grams in the step encoding
    ngrams: NgramsConfig = field(default_factory=NgramsConfig)
    # Settings of the optional step dimensionality_reducer
    reducer: ReducerConfig = field(default_factory=ReducerConfig)
    # Metric that selects models: f1_weighted or f1_macro
    metric: str = "f1_weighted"
    # How probabilities are calibrated and decided on
    decision: DecisionConfig = field(default_factory=DecisionConfig)
    # What a candidate must reach whatever the champion does
    thresholds: ThresholdsConfig = field(default_factory=ThresholdsConfig)
    # What a candidate must show against the champion
    gate: GateConfig = field(default_factory=GateConfig)
    # Publish a candidate that passes its gate; null: yes in a single run, no in a multirun
    promote: bool | None = None
    # Train even when the champion was trained on the same data with the same settings
    force: bool = False
    # After the gate, fit the candidate that passed again, on all labelled messages, with the calibration and decision
    # that were judged
    refit: bool = False
    # Share of equal times at the edge of the hold-out beyond which a split by time is refused
    max_equal_times: float = 0.2
    # Least labelled messages of each class
    min_class_messages: int = 20
    # Versions kept in the registry
    keep_versions: int = 5


@dataclass(frozen=True)
class LearningCurveConfig:
    # Shares of the training messages to train on, the newest ones, in rising order
    shares: list[float] = field(default_factory=lambda: [0.1, 0.2, 0.4, 0.6, 0.8, 1.0])


@dataclass(frozen=True)
class TrackingConfig:
    # none, or mlflow (an extra: uv sync --extra mlflow)
    backend: TrackingBackend = TrackingBackend.none
    # Address of the tracking server; null takes the default of the backend, a local database
    uri: str | None = None
    # Name under which runs are kept together
    experiment: str = "batch-nlp"
