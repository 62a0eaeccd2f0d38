"""Settings of messages and their features: where they come from, what is made of them, on what engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from batch_nlp.config.choices import EmbeddingBackend, SamplePart, Stage


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
    # static (distilled from MiniLM, fast), minilm (ONNX Runtime), minilm_int8 (most of it in 8 bits),
    # sentence_transformers (an extra, any model), none (no vectors: training.inputs must then do without embedding)
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
