"""Settings of what is done with a model: inference, drift and its notices, repairs, simulations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from batch_nlp.config.schema.enums import (
    Combine,
    DriftResponse,
    DriftRule,
    Event,
    NotifyFormat,
    OutputFormat,
    Policy,
    RetrainWith,
    Scenario,
)


@dataclass(frozen=True)
class OutputConfig:
    # parquet, or csv: predictions.csv beside predictions.parquet, for people and spreadsheets
    format: OutputFormat = OutputFormat.parquet
    # Columns of the source that predictions carry after their own, as text; any column of the files will do
    keep: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ReportConfig:
    # Characters of a message's text that reports of batches show; 0 shows none. Reports are read by more people than
    # messages are
    snippets: int = 0


@dataclass(frozen=True)
class InferenceConfig:
    # Folder in which new messages arrive
    inbox: str = MISSING
    # Seconds for which a file in the inbox must not have changed, and half a minute for a CSV that breaks off within a
    # line, there or in dataset.raw_dir; a run waits up to 5 s, or for such a CSV 30 s, and leaves files that need more,
    # or that a process has open for writing, for the next run. 0 takes files as they are, which is right where all are
    # renamed into place
    min_age_seconds: float = 2.0
    # Name of another dataset whose champion scores the messages, for a dataset without labels; null: its own
    champion_of: str | None = None
    # Steps after the champion's own feature steps, each {_target_: class, parameter: value}
    steps: list[Any] = MISSING
    # What is handed over
    output: OutputConfig = field(default_factory=OutputConfig)


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
    # Bands of single classes that are rare or common by nature, class -> [low, high]; the others have low and high
    bands: dict[str, list[Any]] = field(default_factory=dict)
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
    # Whose model and training settings a retraining takes: the champion's, or those that the job is called with
    retrain_with: RetrainWith = RetrainWith.champion
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
class InitConfig:
    # Name of the dataset whose file pipeline=init writes
    name: str | None = None
    # File of messages, or a folder of such files, to look at
    file: str | None = None
    # Folder of settings into which dataset/NAME.yaml goes; null takes that of --config-dir, else the project's conf
    folder: str | None = None
    # Columns of the text, separated by commas; null: init looks for them
    text: Any = None
    # Column of the label, several are the levels of a hierarchy; none: there is none; null: init looks for it
    label: Any = None
    # Column of the time, of several the first that is there; none: there is none; null: init looks for it
    time: Any = None
    # Column of the id, of several the first that is there; none: there is none; null: init looks for it
    id: Any = None


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
class RetentionConfig:
    # Batches of a dataset to keep, with predictions, report, quarantined rows and record; of more, the oldest are
    # removed at the end of a run, a tenth of this number at a time. Their messages and files stay known, and their
    # verdicts in 08_reporting/decisions; null keeps all
    batches: int | None = 10000
    # Days after which batches, and folders of runs, are removed even if they are few; null: never
    days: int | None = 400
    # Newest batches whose samples are kept; those of drift.window are in any case; null keeps all
    samples: int | None = 10
    # Folders of settings and logs in 08_reporting/runs to keep; null keeps all
    runs: int | None = 1000


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
