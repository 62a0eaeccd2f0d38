"""All settings, as one tree."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from batch_nlp.config.schema.dataset import DatasetConfig
from batch_nlp.config.schema.enums import EmbeddingBackend, Input, Stage
from batch_nlp.config.schema.features import FeaturesConfig, QuarantineConfig
from batch_nlp.config.schema.inference import DriftConfig, InferenceConfig, NotifyConfig, ReportConfig
from batch_nlp.config.schema.section import Name, Number, Positive, refusal, section
from batch_nlp.config.schema.training import LearningCurveConfig, ModelConfig, TrackingConfig, TrainingConfig
from batch_nlp.config.schema.upkeep import (
    InitConfig,
    RequeueConfig,
    RetentionConfig,
    SampleConfig,
    SimulationConfig,
    VerifyConfig,
)

LogLevel = Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"]


@section
class PathsConfig:
    root: str = Field(description="Folder of the project; data and models are below it by default")
    data: str = Field(description="Root of the data layers 01_raw ... 09_inference")
    models: str = Field(description="The model registry")
    marker: str | None = Field(
        description="Name of a file, such as .mounted, that must exist in the folders data and models, and in "
        "dataset.raw_dir and inference.inbox if they are outside of data: it is missing on an unmounted disk. null: no "
        "file"
    )
    group_reads: bool = Field(
        description="Let the group of the user who runs the job read what it writes; others never may, since it "
        "contains messages"
    )


@section
class PipelineConfig:
    name: Name = Field(description="Name of the pipeline, as in `pipeline=<name>`")
    stages: list[Stage] = Field(description="Stages in the order in which they run")
    if_store_empty: list[Stage] = Field(
        description="Stages that run first if the feature store holds nothing for the dataset"
    )


def _is_size(size: str) -> str:
    if not re.fullmatch(r"(?=.*[1-9])\d+(\.\d+)? *(%|b|[kmgt](i?b)?)", size, re.IGNORECASE):
        raise ValueError("a size, such as 1GB, or a share of the memory, such as 50%")
    return size


@section
class EngineConfig:
    name: str = Field(description="Name of the engine")
    batch_rows: Positive = Field(description="Messages per record batch")
    commit_rows: Positive = Field(description="Messages per commit of the feature store")
    threads: Number = Field(description="Threads of models and joins; 0 takes all cores")
    memory_limit: Annotated[str, AfterValidator(_is_size)] = Field(
        description="Memory that joins may take before they spill to disk"
    )
    temp_directory: str = Field(description="Folder for spilled joins; it exists only while they run")


@section
class Config:
    seed: int = Field(description="Seed of all randomness in training")
    log_level: LogLevel = Field(description="Level of the log on the terminal")
    allow: dict[str, int] = Field(
        description="Steps from packages of your own that settings may name: import path of the class -> version, a "
        "number to raise whenever the step computes something else"
    )
    message_id: str | None = Field(description="Message to explain with pipeline=explain")
    paths: PathsConfig = Field(description="Where data and models live")
    pipeline: PipelineConfig = Field(description="Which stages run")
    dataset: DatasetConfig = Field(description="Where the messages come from")
    sample: SampleConfig = Field(description="How the sample is generated")
    features: FeaturesConfig = Field(description="What is computed from a message")
    quarantine: QuarantineConfig = Field(description="How much broken input is tolerated")
    model: ModelConfig = Field(description="The classifier")
    training: TrainingConfig = Field(description="How models are trained, judged and published")
    learning_curve: LearningCurveConfig = Field(description="What pipeline=learning_curve measures")
    tracking: TrackingConfig = Field(description="Where runs are tracked")
    inference: InferenceConfig = Field(description="Where new messages come from")
    drift: DriftConfig = Field(description="When the shares of the predictions raise an alarm, and what follows")
    report: ReportConfig = Field(description="What batch reports show")
    notify: NotifyConfig = Field(description="Who is notified of drift, retrainings and failures")
    init: InitConfig = Field(description="What pipeline=init looks at")
    requeue: RequeueConfig = Field(description="Which rows pipeline=requeue puts back")
    retention: RetentionConfig = Field(description="What is kept of batches and runs, and for how long")
    verify: VerifyConfig = Field(description="What pipeline=verify does in addition to checking")
    simulation: SimulationConfig = Field(description="What pipeline=simulate replays")
    engine: EngineConfig = Field(description="What the work runs on")

    @model_validator(mode="after")
    def _sections_fit_together(self) -> Config:
        asked = self.training.inputs or []
        if Input.embedding in asked and not self._has_embedding:
            need = (
                "inputs without embedding, since features.embedding.backend=none, such as "
                "training.inputs=[tabular,ngrams], or another backend (features=default)"
            )
            raise refusal("training.inputs", [one.value for one in asked], need)
        return self

    @property
    def _has_embedding(self) -> bool:
        return self.features.embedding.backend is not EmbeddingBackend.none

    @property
    def inputs(self) -> list[Input]:
        """What the model learns from: `training.inputs`, or else `model.inputs` as far as the features have them."""
        if self.training.inputs is not None:
            return self.training.inputs
        wanted = list(Input) if self.model.inputs is None else self.model.inputs
        return [kind for kind in wanted if kind is not Input.embedding or self._has_embedding]
