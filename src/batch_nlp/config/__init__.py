"""The typed schema of ``conf/``: every setting, its type, its default and its meaning.

The YAML files choose values; this package says which keys exist. The settings reference in the docs is
generated from the comments that stand above the fields.
"""

from batch_nlp.config.schema.config import Config as Config
from batch_nlp.config.schema.config import parse as parse
from batch_nlp.config.schema.config import plain as plain
from batch_nlp.config.schema.dataset import CleanTextConfig as CleanTextConfig
from batch_nlp.config.schema.dataset import ColumnConfig as ColumnConfig
from batch_nlp.config.schema.dataset import DatasetConfig as DatasetConfig
from batch_nlp.config.schema.dataset import EmbeddingConfig as EmbeddingConfig
from batch_nlp.config.schema.dataset import EngineConfig as EngineConfig
from batch_nlp.config.schema.dataset import FeaturesConfig as FeaturesConfig
from batch_nlp.config.schema.dataset import LabelConfig as LabelConfig
from batch_nlp.config.schema.dataset import MessagesConfig as MessagesConfig
from batch_nlp.config.schema.dataset import PathsConfig as PathsConfig
from batch_nlp.config.schema.dataset import PipelineConfig as PipelineConfig
from batch_nlp.config.schema.dataset import QuarantineConfig as QuarantineConfig
from batch_nlp.config.schema.dataset import SampleConfig as SampleConfig
from batch_nlp.config.schema.dataset import SideTableConfig as SideTableConfig
from batch_nlp.config.schema.dataset import SplitConfig as SplitConfig
from batch_nlp.config.schema.enums import Balance as Balance
from batch_nlp.config.schema.enums import Calibration as Calibration
from batch_nlp.config.schema.enums import Combine as Combine
from batch_nlp.config.schema.enums import DriftResponse as DriftResponse
from batch_nlp.config.schema.enums import DriftRule as DriftRule
from batch_nlp.config.schema.enums import EmbeddingBackend as EmbeddingBackend
from batch_nlp.config.schema.enums import Encoding as Encoding
from batch_nlp.config.schema.enums import Event as Event
from batch_nlp.config.schema.enums import Input as Input
from batch_nlp.config.schema.enums import NotifyFormat as NotifyFormat
from batch_nlp.config.schema.enums import OutputFormat as OutputFormat
from batch_nlp.config.schema.enums import Policy as Policy
from batch_nlp.config.schema.enums import RetrainWith as RetrainWith
from batch_nlp.config.schema.enums import Role as Role
from batch_nlp.config.schema.enums import SamplePart as SamplePart
from batch_nlp.config.schema.enums import Scenario as Scenario
from batch_nlp.config.schema.enums import Split as Split
from batch_nlp.config.schema.enums import Stage as Stage
from batch_nlp.config.schema.enums import TrackingBackend as TrackingBackend
from batch_nlp.config.schema.inference import DriftConfig as DriftConfig
from batch_nlp.config.schema.inference import InferenceConfig as InferenceConfig
from batch_nlp.config.schema.inference import InitConfig as InitConfig
from batch_nlp.config.schema.inference import NotifyConfig as NotifyConfig
from batch_nlp.config.schema.inference import OutputConfig as OutputConfig
from batch_nlp.config.schema.inference import ReportConfig as ReportConfig
from batch_nlp.config.schema.inference import RequeueConfig as RequeueConfig
from batch_nlp.config.schema.inference import RetentionConfig as RetentionConfig
from batch_nlp.config.schema.inference import SimulationConfig as SimulationConfig
from batch_nlp.config.schema.inference import VerifyConfig as VerifyConfig
from batch_nlp.config.schema.training import DecisionConfig as DecisionConfig
from batch_nlp.config.schema.training import GateConfig as GateConfig
from batch_nlp.config.schema.training import LearningCurveConfig as LearningCurveConfig
from batch_nlp.config.schema.training import ModelConfig as ModelConfig
from batch_nlp.config.schema.training import NgramsConfig as NgramsConfig
from batch_nlp.config.schema.training import ReducerConfig as ReducerConfig
from batch_nlp.config.schema.training import ThresholdsConfig as ThresholdsConfig
from batch_nlp.config.schema.training import TrackingConfig as TrackingConfig
from batch_nlp.config.schema.training import TrainingConfig as TrainingConfig
