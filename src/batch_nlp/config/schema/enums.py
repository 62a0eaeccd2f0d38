"""What settings can be chosen from."""

from __future__ import annotations

from enum import Enum


class Stage(Enum):
    """What a pipeline can consist of."""

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
    """What ``pipeline=sample`` writes."""

    history = "history"
    batch = "batch"
    labels = "labels"


class EmbeddingBackend(Enum):
    """Which code turns texts into vectors."""

    static = "static"
    minilm = "minilm"
    sentence_transformers = "sentence_transformers"
    none = "none"


class Role(Enum):
    """What a column of the source is."""

    id = "id"
    text = "text"
    time = "time"
    category = "category"
    number = "number"
    key = "key"
    raw = "raw"
    ignore = "ignore"


class Split(Enum):
    """How the held-out messages are chosen."""

    time = "time"
    random = "random"
    group = "group"


class Balance(Enum):
    """How unequal class sizes are answered."""

    none = "none"
    weights = "weights"
    smote = "smote"


class Input(Enum):
    """What a model can learn from."""

    tabular = "tabular"
    embedding = "embedding"
    ngrams = "ngrams"


class Calibration(Enum):
    """How a classifier's scores become probabilities that can be taken at their word."""

    none = "none"
    temperature = "temperature"
    logistic = "logistic"
    isotonic = "isotonic"


class TrackingBackend(Enum):
    """Where runs are tracked beside the reports of their own."""

    none = "none"
    mlflow = "mlflow"


class NotifyFormat(Enum):
    """What a webhook is sent."""

    none = "none"
    json = "json"
    slack = "slack"


class Event(Enum):
    """What a notification can be about."""

    drift = "drift"
    held_back = "held_back"
    promotion = "promotion"
    rejection = "rejection"
    failure = "failure"


class Scenario(Enum):
    """What happens to the messages of a simulation."""

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
    """When a simulation retrains."""

    never = "never"
    always = "always"
    rule = "rule"


class Encoding(Enum):
    """How categories become numbers."""

    one_hot = "one_hot"
    target = "target"


class DriftRule(Enum):
    """What can call a batch drifted."""

    share = "share"
    interval = "interval"
    reference = "reference"
    distance = "distance"
    confidence = "confidence"
    embedding = "embedding"


class OutputFormat(Enum):
    """How predictions are handed over."""

    parquet = "parquet"
    csv = "csv"


class Combine(Enum):
    """How many of the rules must trigger."""

    any = "any"
    all = "all"


class RetrainWith(Enum):
    """Whose model and training settings a retraining takes."""

    champion = "champion"
    settings = "settings"


class DriftResponse(Enum):
    """What follows a drift verdict."""

    retrain = "retrain"
    reweight = "reweight"
    alert = "alert"
    none = "none"
