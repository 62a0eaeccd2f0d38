"""All settings, as a tree, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from batch_nlp.config.schema.dataset import (
    DatasetConfig,
    EngineConfig,
    FeaturesConfig,
    PathsConfig,
    PipelineConfig,
    QuarantineConfig,
    SampleConfig,
)
from batch_nlp.config.schema.inference import (
    DriftConfig,
    InferenceConfig,
    InitConfig,
    NotifyConfig,
    ReportConfig,
    RequeueConfig,
    RetentionConfig,
    SimulationConfig,
    VerifyConfig,
)
from batch_nlp.config.schema.training import LearningCurveConfig, ModelConfig, TrackingConfig, TrainingConfig

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class Config:
    # Seed of all randomness in training
    seed: int = 42
    # Level of the log on the terminal
    log_level: str = "INFO"
    # Steps from packages of your own that settings may name: import path of the class -> version, a number that you
    # raise when the step computes something else
    allow: dict[str, int] = field(default_factory=dict)
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
    # What the reports of batches show
    report: ReportConfig = field(default_factory=ReportConfig)
    # Who is told of drift, retrainings and failures
    notify: NotifyConfig = field(default_factory=NotifyConfig)
    # What pipeline=init looks at
    init: InitConfig = field(default_factory=InitConfig)
    # Which rows pipeline=requeue puts back
    requeue: RequeueConfig = field(default_factory=RequeueConfig)
    # What is kept of batches and runs, and how long
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    # What pipeline=verify does beside looking
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    # What pipeline=simulate replays
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    # What the work runs on
    engine: EngineConfig = field(default_factory=EngineConfig)


def parse(schema: type, *values: DictConfig | dict[str, Any]) -> Any:
    """Return an object of a schema class; later values go before earlier ones, and before the defaults.

    Raises
    ------
    OmegaConfBaseException
        If a key is unknown, or a value is missing or of the wrong type.
    """
    return OmegaConf.to_object(OmegaConf.merge(_node(schema), *values))


@cache
def _node(schema: type) -> DictConfig:
    """Return a schema class as a node, of which `OmegaConf.merge` makes a copy."""
    node: DictConfig = OmegaConf.structured(schema)
    _make_writable(node)
    return node


def _make_writable(node: DictConfig) -> None:
    """Lift the protection that OmegaConf gives frozen classes, on a node that nobody else holds."""
    OmegaConf.set_readonly(node, False)
    for name in node:
        if not OmegaConf.is_missing(node, name) and isinstance(node[name], DictConfig):
            _make_writable(node[name])


def plain(settings: DataclassInstance) -> dict[str, Any]:
    """Return an object of a schema class as JSON values."""
    return {one.name: _plain(getattr(settings, one.name)) for one in fields(settings)}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return plain(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
