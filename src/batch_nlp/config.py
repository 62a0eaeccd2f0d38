"""The typed schema of ``conf/``: every setting, its type, its default and its meaning.

The YAML files choose values; this module says which keys exist. The settings reference in the docs is
generated from the comments that stand above the fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf


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


class Split(Enum):
    """How the held-out messages are chosen."""

    time = "time"
    random = "random"


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


class Combine(Enum):
    """How many of the rules must ring."""

    any = "any"
    all = "all"


class DriftResponse(Enum):
    """What follows a drift verdict."""

    retrain = "retrain"
    reweight = "reweight"
    alert = "alert"
    none = "none"


@dataclass(frozen=True)
class PathsConfig:
    # Folder of the project; default of the two below
    root: str = MISSING
    # Root of the data layers 01_raw ... 09_inference
    data: str = MISSING
    # The model registry
    models: str = MISSING


@dataclass(frozen=True)
class PipelineConfig:
    # Name of the pipeline, as in `pipeline=<name>`
    name: str = MISSING
    # Stages in the order in which they run
    stages: list[Stage] = MISSING
    # Stages that run first when the feature store holds nothing for the dataset
    if_store_empty: list[Stage] = field(default_factory=list)


@dataclass(frozen=True)
class ColumnsConfig:
    # Source column that identifies a message
    message_id: str = MISSING
    # Source column with the text
    text: str = MISSING
    # Source column with the time of writing, UTC
    date: str = MISSING
    # Source column that the label is derived from
    target: str = MISSING
    # Source column that joins the user table
    user_id: str = MISSING
    # Source column that joins the business table
    business_id: str = MISSING


@dataclass(frozen=True)
class TablesConfig:
    # File name pattern of the messages, without the ending: .json, .jsonl, .csv (each also .gz) or .parquet
    message: str = MISSING
    # File name pattern of the users; null where the source has none
    user: str | None = None
    # File name pattern of the businesses; null where the source has none
    business: str | None = None


@dataclass(frozen=True)
class FiltersConfig:
    # Quarantine messages whose text is empty or only white space
    non_empty_text: bool = True
    # Quarantine messages whose user is known to have written no review
    users_with_reviews: bool = False


@dataclass(frozen=True)
class DatasetConfig:
    # Name of the dataset; the feature store is kept by dataset
    name: str = MISSING
    # Folder with the raw files
    raw_dir: str = MISSING
    # Write the generated sample when raw_dir holds no message file
    generate: bool = False
    # File name patterns of the three tables
    tables: TablesConfig = field(default_factory=TablesConfig)
    # Source columns of the message table
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    # Source columns that are known and not read; any other brings a warning
    ignored_columns: list[str] = field(default_factory=list)
    # Class of each target value, as text -> index into `classes`
    target_map: dict[str, int] = MISSING
    # Labels of the classes, in the order of their index
    classes: list[str] = MISSING
    # Which messages to leave out
    filters: FiltersConfig = field(default_factory=FiltersConfig)


@dataclass(frozen=True)
class SampleConfig:
    # What to write: history (three tables), batch (the next messages to classify), labels (of all batches so far)
    part: SamplePart = SamplePart.history
    # Number of messages in the history
    messages: int = 6000
    # Number of messages in a batch
    batch_messages: int = 600
    # Seed of everything that is generated
    seed: int = 20261
    # Class shares of a batch (negative, neutral, positive); null takes the natural ones
    class_mix: list[float] | None = None
    # Share of a batch's messages that talk about things the history never mentions
    vocabulary: float = 0.0
    # Factor on the length of a batch's texts
    length: float = 1.0
    # Share of messages written twice
    duplicate_share: float = 0.01
    # Share of lines that are broken
    broken_share: float = 0.001


@dataclass(frozen=True)
class CleanTextConfig:
    # Characters kept of a message; longer ones are cut for features and models
    max_chars: int = 20000


@dataclass(frozen=True)
class EmbeddingConfig:
    # static (distilled from MiniLM, fast), minilm (ONNX Runtime), sentence_transformers (an extra, any model),
    # none (no vectors: training.inputs must then do without embedding)
    backend: EmbeddingBackend = EmbeddingBackend.static
    # Model name on a hub or a local path; null takes the packaged all-MiniLM-L6-v2 weights
    model: str | None = None
    # Dimensions of the static vectors; the other backends keep their model's
    dims: int = 256
    # Tokens of a message that the model reads
    max_tokens: int = 256
    # Messages in a forward pass of the sentence_transformers backend
    batch_size: int = 32
    # Device of the sentence_transformers backend (cpu, cuda, ...); null lets it choose
    device: str | None = None
    # Megabytes of vectors to keep, so that no text is embedded twice; the oldest go first. 0 keeps none; static vectors
    # are never kept, since they are made faster than they are looked up
    cache_mb: int = 1024


@dataclass(frozen=True)
class FeaturesConfig:
    # Name of the feature definition, for people; its content decides the feature version
    name: str = MISSING
    # Settings of the step clean_text
    clean_text: CleanTextConfig = field(default_factory=CleanTextConfig)
    # Category group -> words of the business categories that belong to it; the first match counts
    category_groups: dict[str, list[str]] = MISSING
    # Settings of the step embedding
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)


@dataclass(frozen=True)
class QuarantineConfig:
    # Share of quarantined messages over which a run stops with exit code 3
    max_share: float = 0.2
    # Number of messages under which the share is not judged
    min_messages: int = 100


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
    # Least macro F1 on the hold-out; null does not ask
    f1_macro: float | None = None
    # Least weighted F1 on the hold-out; null does not ask
    f1_weighted: float | None = None
    # Least recall of any class on the hold-out; null does not ask
    recall: float | None = None


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
    # time: the newest messages are held out; random: a stratified draw
    split: Split = Split.time
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


@dataclass(frozen=True)
class InferenceConfig:
    # Folder in which new messages arrive
    inbox: str = MISSING
    # Seconds for which a file in the inbox must not have changed. Set it where files are copied there under their final
    # name; one that is renamed into place is whole
    min_age_seconds: float = 0.0


@dataclass(frozen=True)
class DriftConfig:
    # Least share of the predictions that a class may have
    low: float = 0.10
    # Greatest share of the predictions that a class may have
    high: float = 0.90
    # What calls a batch drifted. share: the literal rule; interval: a Wilson interval lies wholly outside the band;
    # reference: the shares differ from those of the champion's hold-out; distance: the distribution of the predictions
    # or features does; confidence: the model is less sure; embedding: a classifier tells the batch from the hold-out
    rules: list[DriftRule] = field(default_factory=lambda: [DriftRule.share])
    # Whether any of the rules is enough, or all must ring
    combine: Combine = Combine.any
    # Messages under which no verdict is given
    min_messages: int = 30
    # Batches of the sliding window that is judged beside each batch; 1 judges batches alone
    window: int = 1
    # Confidence of the Wilson intervals
    confidence: float = 0.95
    # p-value, corrected for many tests, under which the other rules ring
    significance: float = 0.01
    # rule reference: least change of a class's share that counts
    min_share_change: float = 0.05
    # rule distance: least population stability index that counts
    min_psi: float = 0.1
    # rule confidence: least fall of the mean probability of the predicted class that counts
    min_confidence_drop: float = 0.02
    # rule embedding: least area under the curve that counts
    min_auc: float = 0.6
    # Messages of a batch, and of the hold-out, that are kept for the analysis
    sample: int = 2000
    # Draws from the null distribution of a distance
    resamples: int = 999
    # retrain, reweight (predict the batch again for its own class shares), alert (exit code 4), or none (only recorded)
    response: DriftResponse = DriftResponse.retrain
    # Predict the batch that rang again when a retraining gave a new champion; both predictions are kept
    rescore: bool = False
    # New labels after which the breaker lets a further retraining follow, as a share of the rows that the champion was
    # trained on; each rejected candidate doubles it
    min_new_labels: float = 0.5
    # p-value under which the shares of a batch count as another change than the one last answered
    change_significance: float = 0.001


@dataclass(frozen=True)
class NotifyConfig:
    # none, json (a generic JSON document) or slack (text that Slack and its compatibles show)
    format: NotifyFormat = NotifyFormat.none
    # Environment variable that holds the address of the webhook; it is a secret, so no setting holds it
    url_variable: str = "BATCH_NLP_WEBHOOK"
    # What is told: drift, held_back, promotion, rejection, failure
    events: list[Event] = field(default_factory=lambda: list(Event))
    # Seconds that an attempt may take
    timeout: float = 5.0
    # Attempts, with a growing pause between them
    attempts: int = 4


@dataclass(frozen=True)
class RequeueConfig:
    # Quarantine file, or a repaired copy of one, whose rows pipeline=requeue puts back; null takes all of the dataset
    file: str | None = None


@dataclass(frozen=True)
class VerifyConfig:
    # Mend what can be mended without losing anything: put aside what belongs to nothing, write lost records and pages
    # again, remove what killed runs left unfinished
    repair: bool = False
    # Write what was found to 08_reporting/verify.json, as a repair always does
    report: bool = False


@dataclass(frozen=True)
class SimulationConfig:
    # What happens to the messages
    scenario: Scenario = Scenario.stable
    # Policies to compare: never, always, rule (the settings of drift)
    policies: list[Policy] = field(default_factory=lambda: list(Policy))
    # Days to replay, one batch a day
    days: int = 50
    # Messages of a day
    messages: int = 200
    # Day on which the change of the scenario begins, the first being 1
    change_day: int = 10
    # Days after which the labels of a batch arrive
    label_delay: int = 1


@dataclass(frozen=True)
class EngineConfig:
    # Name of the engine
    name: str = MISSING
    # Messages in a record batch
    batch_rows: int = 5000
    # Messages in one commit of the feature store
    commit_rows: int = 50000
    # Threads of models and joins; 0 takes all cores
    threads: int = 0
    # Memory that joins may take before they spill to disk
    memory_limit: str = "1GB"
    # Folder that joins spill to; it is there only while they do
    temp_directory: str = MISSING


@dataclass(frozen=True)
class Config:
    # Seed of all randomness in training
    seed: int = 42
    # Level of the log on the terminal
    log_level: str = "INFO"
    # The message that pipeline=explain is asked about
    message_id: str | None = None
    # Where data and models live
    paths: PathsConfig = field(default_factory=PathsConfig)
    # Which stages run
    pipeline: PipelineConfig = field(default_factory=PipelineConfig)
    # Where the messages come from
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    # How the sample is generated
    sample: SampleConfig = field(default_factory=SampleConfig)
    # What is computed of a message
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    # How much broken input is tolerated
    quarantine: QuarantineConfig = field(default_factory=QuarantineConfig)
    # The classifier
    model: ModelConfig = field(default_factory=ModelConfig)
    # How models are trained, judged and published
    training: TrainingConfig = field(default_factory=TrainingConfig)
    # How pipeline=learning_curve goes about it
    learning_curve: LearningCurveConfig = field(default_factory=LearningCurveConfig)
    # Where runs are tracked
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    # Where new messages come from
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    # When and how the shares of the predictions raise the alarm
    drift: DriftConfig = field(default_factory=DriftConfig)
    # Who is told of drift, retrainings and failures
    notify: NotifyConfig = field(default_factory=NotifyConfig)
    # Which rows pipeline=requeue puts back
    requeue: RequeueConfig = field(default_factory=RequeueConfig)
    # What pipeline=verify does beside looking
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    # What pipeline=simulate replays
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    # What the work runs on
    engine: EngineConfig = field(default_factory=EngineConfig)


def parse(schema: type, *values: DictConfig | dict[str, Any]) -> Any:
    """Return an object of a schema class; later values go before earlier ones, and before the defaults.

    Parameters
    ----------
    schema : type
        One of the classes above.
    *values : DictConfig or dict
        What to merge into it.

    Raises
    ------
    OmegaConfBaseException
        If a key is unknown, or a value is missing or of the wrong type.
    """
    node = OmegaConf.structured(schema)
    _make_writable(node)
    return OmegaConf.to_object(OmegaConf.merge(node, *values))


def _make_writable(node: DictConfig) -> None:
    """Lift the protection that OmegaConf gives frozen classes, on a node that nobody else holds."""
    OmegaConf.set_readonly(node, False)
    for name in node:
        if not OmegaConf.is_missing(node, name) and isinstance(node[name], DictConfig):
            _make_writable(node[name])


def plain(settings: object) -> dict[str, Any]:
    """Return an object of a schema class as JSON values."""
    values: Any = OmegaConf.to_container(OmegaConf.structured(settings), enum_to_str=True)
    return dict(values)
