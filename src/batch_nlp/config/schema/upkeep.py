"""Settings of the pipelines that look after data and models, and of those that try things out."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from batch_nlp.config.schema.enums import Policy, SamplePart, Scenario
from batch_nlp.config.schema.section import Number, Positive, Share, is_each_once, section


def _add_up(shares: list[float]) -> list[float]:
    if abs(sum(shares) - 1) > 1e-6:
        raise ValueError("shares that add up to 1, one for each class")
    return shares


@section
class SampleConfig:
    part: SamplePart = Field(
        description="What to write: history (three tables), batch (the next messages to classify) or labels (of all "
        "batches so far)"
    )
    messages: Positive = Field(description="Messages in the history")
    batch_messages: Positive = Field(description="Messages in a batch")
    seed: Number = Field(description="Seed of everything that is generated")
    class_mix: Annotated[list[Share], AfterValidator(_add_up)] | None = Field(
        description="Class shares of a batch (negative, neutral, positive), which add up to 1; null takes the natural "
        "ones"
    )
    vocabulary: Share = Field(description="Share of a batch's messages about things that the history never mentions")
    length: float = Field(gt=0, description="Factor on the length of a batch's texts")
    duplicate_share: Share = Field(description="Share of messages that are written twice")
    broken_share: Share = Field(description="Share of lines that are broken")


@section
class InitConfig:
    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")] | None = Field(
        description="Name of the dataset for which pipeline=init writes a file"
    )
    file: str | None = Field(description="File of messages, or a folder of such files, to look at")
    folder: str | None = Field(
        description="Folder of settings that gets dataset/NAME.yaml; null takes that of --config-dir, or else the "
        "project's conf"
    )
    text: Any = Field(description="Columns of the text, comma-separated; null: init looks for them")
    label: Any = Field(
        description="Column of the label; several columns are the levels of a hierarchy. none: there is no label; "
        "null: init looks for it"
    )
    time: Any = Field(
        description="Column of the time; of several, the first that exists counts. none: there is no time; null: init "
        "looks for it"
    )
    id: Any = Field(
        description="Column of the id; of several, the first that exists counts. none: there is no id; null: init "
        "looks for it"
    )


@section
class RequeueConfig:
    file: str | None = Field(
        description="Quarantine file, or a repaired copy of one, whose rows pipeline=requeue puts back; null takes all "
        "quarantine files of the dataset"
    )


@section
class VerifyConfig:
    repair: bool = Field(
        description="Repair what can be repaired without loss: set aside files that belong to nothing, rewrite lost "
        "records and pages, remove what killed runs left unfinished"
    )
    report: bool = Field(description="Write the findings to 08_reporting/verify.json, as a repair always does")


@section
class RetentionConfig:
    batches: Positive | None = Field(
        description="Batches of a dataset to keep, with predictions, report, quarantined rows and record. At the end "
        "of a run, the oldest batches beyond it are removed, a tenth of this number at a time. Their messages and "
        "files stay known, and their verdicts stay in 08_reporting/decisions. null keeps all"
    )
    days: Positive | None = Field(
        description="Days after which batches and run folders are removed even if there are few; null: never"
    )
    samples: Positive | None = Field(
        description="Newest batches whose samples are kept; those of drift.window are always kept; null keeps all"
    )
    runs: Positive | None = Field(
        description="Folders of settings and logs to keep in 08_reporting/runs; null keeps all"
    )


@section
class SimulationConfig:
    scenario: Scenario = Field(description="What happens to the messages")
    policies: Annotated[list[Policy], AfterValidator(is_each_once)] = Field(
        description="Policies to compare: never, always, rule (the settings of drift)"
    )
    days: Positive = Field(description="Days to replay, one batch per day")
    messages: Positive = Field(description="Messages per day")
    change_day: Positive = Field(description="Day on which the change of the scenario begins; the first day is 1")
    label_delay: Number = Field(description="Days until the labels of a batch arrive")
