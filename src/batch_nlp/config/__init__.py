"""The typed schema of ``conf/``: every setting, its type, its default and its meaning.

The YAML files choose values; this package says which keys exist. The settings reference in the docs is
generated from the comments that stand above the fields.
"""

from batch_nlp.config.choices import Balance as Balance
from batch_nlp.config.choices import Calibration as Calibration
from batch_nlp.config.choices import Combine as Combine
from batch_nlp.config.choices import DriftResponse as DriftResponse
from batch_nlp.config.choices import DriftRule as DriftRule
from batch_nlp.config.choices import EmbeddingBackend as EmbeddingBackend
from batch_nlp.config.choices import Encoding as Encoding
from batch_nlp.config.choices import Event as Event
from batch_nlp.config.choices import Input as Input
from batch_nlp.config.choices import NotifyFormat as NotifyFormat
from batch_nlp.config.choices import OutputFormat as OutputFormat
from batch_nlp.config.choices import Policy as Policy
from batch_nlp.config.choices import RetrainWith as RetrainWith
from batch_nlp.config.choices import Role as Role
from batch_nlp.config.choices import SamplePart as SamplePart
from batch_nlp.config.choices import Scenario as Scenario
from batch_nlp.config.choices import Split as Split
from batch_nlp.config.choices import Stage as Stage
from batch_nlp.config.choices import TrackingBackend as TrackingBackend
from batch_nlp.config.data import CleanTextConfig as CleanTextConfig
from batch_nlp.config.data import ColumnConfig as ColumnConfig
from batch_nlp.config.data import DatasetConfig as DatasetConfig
from batch_nlp.config.data import EmbeddingConfig as EmbeddingConfig
from batch_nlp.config.data import EngineConfig as EngineConfig
from batch_nlp.config.data import FeaturesConfig as FeaturesConfig
from batch_nlp.config.data import LabelConfig as LabelConfig
from batch_nlp.config.data import MessagesConfig as MessagesConfig
from batch_nlp.config.data import PathsConfig as PathsConfig
from batch_nlp.config.data import PipelineConfig as PipelineConfig
from batch_nlp.config.data import QuarantineConfig as QuarantineConfig
from batch_nlp.config.data import SampleConfig as SampleConfig
from batch_nlp.config.data import SideTableConfig as SideTableConfig
from batch_nlp.config.data import SplitConfig as SplitConfig
from batch_nlp.config.jobs import DriftConfig as DriftConfig
from batch_nlp.config.jobs import InferenceConfig as InferenceConfig
from batch_nlp.config.jobs import InitConfig as InitConfig
from batch_nlp.config.jobs import NotifyConfig as NotifyConfig
from batch_nlp.config.jobs import OutputConfig as OutputConfig
from batch_nlp.config.jobs import ReportConfig as ReportConfig
from batch_nlp.config.jobs import RequeueConfig as RequeueConfig
from batch_nlp.config.jobs import RetentionConfig as RetentionConfig
from batch_nlp.config.jobs import SimulationConfig as SimulationConfig
from batch_nlp.config.jobs import VerifyConfig as VerifyConfig
from batch_nlp.config.models import DecisionConfig as DecisionConfig
from batch_nlp.config.models import GateConfig as GateConfig
from batch_nlp.config.models import LearningCurveConfig as LearningCurveConfig
from batch_nlp.config.models import ModelConfig as ModelConfig
from batch_nlp.config.models import NgramsConfig as NgramsConfig
from batch_nlp.config.models import ReducerConfig as ReducerConfig
from batch_nlp.config.models import ThresholdsConfig as ThresholdsConfig
from batch_nlp.config.models import TrackingConfig as TrackingConfig
from batch_nlp.config.models import TrainingConfig as TrainingConfig
from batch_nlp.config.schema import Config as Config
from batch_nlp.config.schema import parse as parse
from batch_nlp.config.schema import plain as plain
