"""Settings of messages and their features: where they come from, what is made of them, on what engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from batch_nlp.config.schema.enums import EmbeddingBackend, Role, SamplePart, Split, Stage


@dataclass(frozen=True)
class PathsConfig:
    # Folder of the project; default of the two below
    root: str = MISSING
    # Root of the data layers 01_raw ... 09_inference
    data: str = MISSING
    # The model registry
    models: str = MISSING
    # Name of a file, such as .mounted, that must lie in the folders data and models, and in dataset.raw_dir and
    # inference.inbox where they are outside of data: an unmounted disk lacks it. null asks for none
    marker: str | None = None
    # Whether the group of the user who runs the job may read what it writes; others never may, for it holds messages
    group_reads: bool = False


@dataclass(frozen=True)
class PipelineConfig:
    # Name of the pipeline, as in `pipeline=<name>`
    name: str = MISSING
    # Stages in the order in which they run
    stages: list[Stage] = MISSING
    # Stages that run first when the feature store holds nothing for the dataset
    if_store_empty: list[Stage] = field(default_factory=list)


# not frozen, as SideTableConfig: OmegaConf cannot merge into a frozen class that it makes for an entry
@dataclass
class ColumnConfig:
    # What the column is: id, text, time, category, number, key (of a side table), raw (for steps alone) or ignore
    role: Role = MISSING
    # Name of the field that a category, number or raw column becomes, or under which a key joins its table; null takes
    # the name of the column, or of the table
    name: str | None = None
    # role time: format as in strptime, for example "%m/%d/%Y %H:%M"; excel for the numbers that Excel stores (44593.5),
    # unix for seconds, milliseconds, microseconds or nanoseconds since 1970; null reads ISO 8601. Where a column has
    # several forms: "iso|%d.%m.%Y". Role number: the decimal sign, "," or "."; null reads points, and refuses a file
    # whose numbers have decimal commas
    format: str | None = None
    # role time: time zone of times that name none
    zone: str = "UTC"
    # role key: name of the side table that the column joins
    of: str | None = None


@dataclass(frozen=True)
class MessagesConfig:
    # File name pattern of the messages, without the ending: .json, .jsonl, .ndjson, .csv, .tsv (each also .gz or .zst)
    # or .parquet
    files: str = MISSING
    # Field under which the columns of a row lie, or a list of rows, where they are nested; a row without it is read as
    # it is
    rows: str | None = None
    # Columns that are read, each with its role; columns that are not declared are not read
    columns: dict[str, ColumnConfig] = field(default_factory=dict)
    # Condition in SQL on the source's columns, as text: "inbound = 'True'", "TRY_CAST(score AS INT) > 3". Rows that do
    # not meet it are left out and counted
    where: str | None = None
    # CSV: the character between cells, or tab, or an escape such as \x01; null finds it in each file
    separator: str | None = None
    # Encoding of text files that are not UTF-8 and have no byte order mark, for example cp1252; null reads UTF-8
    encoding: str | None = None


@dataclass
class SideTableConfig:
    # Name of the table; keys join it by this name, and its columns become <name>_<column>
    name: str = MISSING
    # File name pattern, as for the messages; files that match the pattern of the messages too are messages
    files: str = MISSING
    # Column that the keys of the messages name
    key: str = MISSING
    # Columns that are read: category and number become fields, raw ones are there for the dataset's own steps. With a
    # column of role time, the latest row that is not after the message counts, without one the first row of a key
    columns: dict[str, ColumnConfig] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelConfig:
    # Column of the label; a list of columns is a hierarchy, [sentiment, reason]. Where an entry is a list itself, the
    # first of its columns that is there counts. null: the messages have no labels
    column: Any = None
    # auto (those found in the data, kept by the model), a list of labels, or a mapping from class to its labels
    classes: Any = "auto"
    # What becomes of small and unknown classes: {under: 20, as: other}; as: other, ignore or quarantine. null: unknown
    # labels are quarantined, and a class with too few messages stops the training
    rare: dict[str, Any] | None = None


@dataclass(frozen=True)
class SplitConfig:
    # time (the newest are held out), random (a stratified draw), group (whole groups of `column`); null takes time
    # where the messages have one, else random
    by: Split | None = None
    # Column whose values are the groups; equal texts are on one side of every split, whatever it is by
    column: str | None = None


@dataclass(frozen=True)
class DatasetConfig:
    # Name of the dataset; the feature store is kept by dataset
    name: str = MISSING
    # Folder with the raw files
    raw_dir: str = MISSING
    # Read files behind symbolic links that lead out of raw_dir or the inbox. Whoever can write there can then have any
    # file read that the job can read
    follow_links: bool = False
    # Write the generated sample when raw_dir holds no message file
    generate: bool = False
    # Which generator writes a sample in the source's format; null where the source has none
    sample: str | None = None
    # Where the messages are, and what their columns are
    messages: MessagesConfig = field(default_factory=MessagesConfig)
    # What the messages are labelled with
    label: LabelConfig = field(default_factory=LabelConfig)
    # Tables that the keys of the messages join
    side_tables: list[SideTableConfig] = field(default_factory=list)
    # Columns of any table that hold the label or something from after the message: none of them may have a role
    forbidden: list[str] = field(default_factory=list)
    # How messages are held out
    split: SplitConfig = field(default_factory=SplitConfig)
    # Feature steps that the source adds: before the embedding, or right after the step that _after_ names
    steps: list[Any] = field(default_factory=list)


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
    # static (distilled from MiniLM, fast), minilm (ONNX Runtime),
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
    # Settings of the step embedding
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    # Steps of the feature pipeline in their order, each {_target_: class, parameter: value}
    steps: list[Any] = MISSING


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
