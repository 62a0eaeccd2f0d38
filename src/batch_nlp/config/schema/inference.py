"""Settings of inference, of the rules on what it predicts, and of the notifications."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from batch_nlp.config.schema.enums import (
    Combine,
    DriftResponse,
    DriftRule,
    Event,
    NotifyFormat,
    OutputFormat,
    RetrainWith,
)
from batch_nlp.config.schema.section import Name, Number, Part, Positive, Share, Steps, is_each_once, refusal, section


@section
class OutputConfig:
    format: OutputFormat = Field(
        description="parquet, or csv: adds predictions.csv to predictions.parquet, for people and spreadsheets"
    )
    keep: list[str] = Field(
        description="Source columns to copy into the predictions, as text; any column of the files will do"
    )


@section
class InferenceConfig:
    inbox: str = Field(description="Folder in which new messages arrive")
    min_age_seconds: float = Field(
        ge=0,
        description="Seconds for which a file in the inbox or in dataset.raw_dir must have been unchanged. A run waits "
        "up to 5 s, or 30 s for a CSV file that ends within a line. The next run takes files that need longer, or that "
        "a process has open for writing. 0 takes files as they are, which is right if files are renamed into place",
    )
    champion_of: Name | None = Field(
        description="Name of another dataset whose champion scores the messages, for a dataset without labels; null: "
        "the dataset's own champion"
    )
    steps: Steps = Field(
        description="Steps after the champion's own feature steps, each {_target_: class, parameter: value}"
    )
    output: OutputConfig = Field(description="What is handed over")


@section
class ReportConfig:
    snippets: Number = Field(
        description="Characters of a message's text that batch reports show; 0 shows none. More people read reports "
        "than messages"
    )


def _is_band(band: list[float]) -> list[float]:
    if len(band) != 2 or not 0 <= band[0] < band[1] <= 1:
        raise ValueError("[low, high] with 0 <= low < high <= 1")
    return band


@section
class DriftConfig:
    low: Share = Field(description="Minimum share of the predictions for each class")
    high: Share = Field(description="Maximum share of the predictions for each class")
    rules: Annotated[list[DriftRule], AfterValidator(is_each_once)] = Field(
        description="What makes a batch count as drifted. share: the literal rule; interval: a Wilson interval lies "
        "wholly outside the band; reference: the shares differ from those of the champion's hold-out; distance: the "
        "distribution of predictions or features differs; confidence: the model is less sure; embedding: a classifier "
        "can tell the batch from the hold-out"
    )
    combine: Combine = Field(description="Whether any of the rules is enough, or all must trigger")
    min_messages: Positive = Field(description="Minimum number of messages for a verdict")
    bands: dict[str, Annotated[list[float], AfterValidator(_is_band)]] = Field(
        description="Bands of single classes that are rare or common by nature, class -> [low, high]; all others take "
        "low and high"
    )
    window: Positive = Field(
        description="Batches in the sliding window that is judged in addition to each batch; 1 judges batches alone"
    )
    confidence: Part = Field(description="Confidence of the Wilson intervals")
    significance: Part = Field(description="p-value, corrected for multiple tests, below which the other rules trigger")
    min_share_change: float = Field(
        ge=0, lt=1, description="Rule reference: smallest change of a class's share that counts"
    )
    min_psi: float = Field(ge=0, description="Rule distance: smallest population stability index that counts")
    min_confidence_drop: float = Field(
        ge=0,
        lt=1,
        description="Rule confidence: smallest fall of the mean probability of the predicted class that counts",
    )
    min_auc: float = Field(ge=0.5, lt=1, description="Rule embedding: smallest area under the ROC curve that counts")
    sample: int = Field(ge=100, description="Messages of a batch, and of the hold-out, that are kept for the analysis")
    resamples: int = Field(ge=99, description="Draws from the null distribution of a distance")
    response: DriftResponse = Field(
        description="retrain, reweight (predict the batch again for its own class shares), alert (exit code 4) or none "
        "(only recorded)"
    )
    retrain_with: RetrainWith = Field(
        description="Which model and training settings a retraining takes: the champion's, or those of the job"
    )
    rescore: bool = Field(
        description="Predict the batch that triggered again if the retraining gave a new champion; both predictions "
        "are kept"
    )
    min_new_labels: float = Field(
        ge=0,
        description="New labels after which the breaker allows another retraining, as a share of the rows that the "
        "champion was trained on; each rejected candidate doubles it",
    )
    change_significance: Part = Field(
        description="p-value below which the shares of a batch count as another change than the one last answered"
    )

    @model_validator(mode="after")
    def _low_is_below_high(self) -> DriftConfig:
        if self.low >= self.high:
            raise refusal("low", self.low, f"less than drift.high={self.high:g}")
        return self


@section
class NotifyConfig:
    format: NotifyFormat = Field(
        description="none, json (a generic JSON document) or slack (text for Slack and compatible services)"
    )
    url_variable: str = Field(
        description="Environment variable that holds the address of the webhook; no setting holds it, since it is a "
        "secret"
    )
    events: list[Event] = Field(description="Events to notify about: drift, held_back, promotion, rejection, failure")
    timeout: float = Field(gt=0, description="Maximum seconds per attempt")
    attempts: Positive = Field(description="Number of attempts, with growing pauses between them")
