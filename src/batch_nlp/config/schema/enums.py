"""Choices of settings."""

from __future__ import annotations

from enum import Enum


class Stage(Enum):
    """A stage of a pipeline."""

    sample = "sample"
    feature = "feature"
    training = "training"
    inference = "inference"
    rollback = "rollback"
    explain = "explain"
    learning_curve = "learning_curve"
    status = "status"
    simulate = "simulate"
    verify = "verify"
    requeue = "requeue"
    init = "init"


class SamplePart(Enum):
    """Part of the sample that ``pipeline=sample`` writes."""

    history = "history"
    batch = "batch"
    labels = "labels"


class EmbeddingBackend(Enum):
    """Code that turns texts into vectors."""

    static = "static"
    minilm = "minilm"
    sentence_transformers = "sentence_transformers"
    none = "none"


class Role(Enum):
    """Meaning of a source column."""

    id = "id"
    text = "text"
    time = "time"
    category = "category"
    number = "number"
    key = "key"
    raw = "raw"
    ignore = "ignore"


class Split(Enum):
    """Method of choosing the held-out messages."""

    time = "time"
    random = "random"
    group = "group"


class Balance(Enum):
    """Remedy for unequal class sizes."""

    none = "none"
    weights = "weights"
    smote = "smote"


class Input(Enum):
    """Inputs of a model."""

    tabular = "tabular"
    embedding = "embedding"
    ngrams = "ngrams"


class Calibration(Enum):
    """Method of turning a classifier's scores into calibrated probabilities."""

    none = "none"
    temperature = "temperature"
    logistic = "logistic"
    isotonic = "isotonic"


class TrackingBackend(Enum):
    """Tracker of runs, in addition to their own reports."""

    none = "none"
    mlflow = "mlflow"


class NotifyFormat(Enum):
    """Format of a notification."""

    none = "none"
    json = "json"
    slack = "slack"


class Event(Enum):
    """Event that a notification reports."""

    drift = "drift"
    held_back = "held_back"
    promotion = "promotion"
    rejection = "rejection"
    failure = "failure"


class Scenario(Enum):
    """Change of the messages in a simulation."""

    stable = "stable"
    sudden_shift = "sudden_shift"
    gradual_shift = "gradual_shift"
    new_vocabulary = "new_vocabulary"
    rare_class = "rare_class"
    late_labels = "late_labels"
    poisoned_labels = "poisoned_labels"
    empty_days = "empty_days"
    bursts = "bursts"


class Policy(Enum):
    """Rule for retraining in a simulation."""

    never = "never"
    always = "always"
    rule = "rule"


class Encoding(Enum):
    """Encoding of categories as numbers."""

    one_hot = "one_hot"
    target = "target"


class DriftRule(Enum):
    """Rule that can declare a batch drifted."""

    share = "share"
    interval = "interval"
    reference = "reference"
    distance = "distance"
    confidence = "confidence"
    embedding = "embedding"


class OutputFormat(Enum):
    """File format of predictions."""

    parquet = "parquet"
    csv = "csv"


class Combine(Enum):
    """How many of the rules must trigger."""

    any = "any"
    all = "all"


class RetrainWith(Enum):
    """Source of the model and training settings of a retraining."""

    champion = "champion"
    settings = "settings"


class DriftResponse(Enum):
    """Response to a drift verdict."""

    retrain = "retrain"
    reweight = "reweight"
    alert = "alert"
    none = "none"
