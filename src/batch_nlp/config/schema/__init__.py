"""The schema of ``conf/``: each setting with its type, its range and its meaning. Imports nothing of the project."""

from batch_nlp.config.schema.config import Config as Config
from batch_nlp.config.schema.config import EngineConfig as EngineConfig
from batch_nlp.config.schema.config import PathsConfig as PathsConfig
from batch_nlp.config.schema.config import PipelineConfig as PipelineConfig
from batch_nlp.config.schema.dataset import ColumnConfig as ColumnConfig
from batch_nlp.config.schema.dataset import DatasetConfig as DatasetConfig
from batch_nlp.config.schema.dataset import LabelConfig as LabelConfig
from batch_nlp.config.schema.dataset import MessagesConfig as MessagesConfig
from batch_nlp.config.schema.dataset import SideTableConfig as SideTableConfig
from batch_nlp.config.schema.dataset import SplitConfig as SplitConfig
from batch_nlp.config.schema.enums import *  # noqa: F403 all of them are choices of settings
from batch_nlp.config.schema.features import CleanTextConfig as CleanTextConfig
from batch_nlp.config.schema.features import EmbeddingConfig as EmbeddingConfig
from batch_nlp.config.schema.features import FeaturesConfig as FeaturesConfig
from batch_nlp.config.schema.features import QuarantineConfig as QuarantineConfig
from batch_nlp.config.schema.inference import DriftConfig as DriftConfig
from batch_nlp.config.schema.inference import InferenceConfig as InferenceConfig
from batch_nlp.config.schema.inference import NotifyConfig as NotifyConfig
from batch_nlp.config.schema.inference import OutputConfig as OutputConfig
from batch_nlp.config.schema.inference import ReportConfig as ReportConfig
from batch_nlp.config.schema.training import DecisionConfig as DecisionConfig
from batch_nlp.config.schema.training import GateConfig as GateConfig
from batch_nlp.config.schema.training import LearningCurveConfig as LearningCurveConfig
from batch_nlp.config.schema.training import ModelConfig as ModelConfig
from batch_nlp.config.schema.training import NgramsConfig as NgramsConfig
from batch_nlp.config.schema.training import ReducerConfig as ReducerConfig
from batch_nlp.config.schema.training import ThresholdsConfig as ThresholdsConfig
from batch_nlp.config.schema.training import TrackingConfig as TrackingConfig
from batch_nlp.config.schema.training import TrainingConfig as TrainingConfig
from batch_nlp.config.schema.upkeep import InitConfig as InitConfig
from batch_nlp.config.schema.upkeep import RequeueConfig as RequeueConfig
from batch_nlp.config.schema.upkeep import RetentionConfig as RetentionConfig
from batch_nlp.config.schema.upkeep import SampleConfig as SampleConfig
from batch_nlp.config.schema.upkeep import SimulationConfig as SimulationConfig
from batch_nlp.config.schema.upkeep import VerifyConfig as VerifyConfig
