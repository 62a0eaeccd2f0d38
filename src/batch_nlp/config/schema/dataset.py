"""Settings of a dataset: where its messages are, what their columns mean, and how they are labelled and split."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NotRequired
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import TypedDict

from batch_nlp.config.schema.enums import Role, Split
from batch_nlp.config.schema.section import Name, Step, refusal, section


def _is_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("the name of a time zone, such as Europe/Rome; there is no such time zone") from error
    return zone


@section
class ColumnConfig:
    role: Role = Field(
        description="What the column is: id, text, time, category, number, key (of a side table), raw (for steps only) "
        "or ignore"
    )
    name: str | None = Field(
        default=None,
        description="Name of the field that a category, number or raw column becomes, or under which a key joins its "
        "table; null takes the name of the column, or of the table",
    )
    format: str | None = Field(
        default=None,
        description='Role time: format as in strptime, such as "%m/%d/%Y %H:%M"; excel for Excel\'s numbers (44593.5); '
        "unix for seconds, milliseconds, microseconds or nanoseconds since 1970; null reads ISO 8601. If a column has "
        'several forms: "iso|%d.%m.%Y". Role number: the decimal sign, "," or "."; null reads points, and refuses a '
        "file whose numbers have decimal commas",
    )
    zone: Annotated[str, AfterValidator(_is_zone)] = Field(
        default="UTC", description="Role time: time zone of times that name none"
    )
    of: str | None = Field(default=None, description="Role key: name of the side table that the column joins")

    @model_validator(mode="after")
    def _keys_fit_the_role(self) -> ColumnConfig:
        sign = self.role is Role.number and self.format in (".", ",")
        if self.format is not None and self.role is not Role.time and not sign:
            raise refusal("format", self.format, "the role time; of numbers, the format is their decimal sign, . or ,")
        if self.zone != "UTC" and self.role is not Role.time:
            raise refusal("zone", self.zone, "the role time")
        if self.of is not None and self.role is not Role.key:
            raise refusal("of", self.of, "the role key, which alone joins a side table")
        return self


def _is_separator(separator: str) -> str:
    # a command line does not resolve escapes; quotes and line ends cannot separate cells
    if not re.fullmatch(r'tab|\\t|\\x(?!22|0[aAdD])[0-9a-fA-F]{2}|[^"\r\n]', separator):
        raise ValueError("one character, such as ';', or tab")
    return separator


def _is_encoding(encoding: str) -> str:
    try:
        "x".encode(encoding)
    except (LookupError, ValueError) as error:
        raise ValueError("an encoding of text, such as utf-8, cp1252, latin-1 or utf-16") from error
    return encoding


@section
class MessagesConfig:
    files: str = Field(
        description="File name pattern of the messages, without the ending: .json, .jsonl, .ndjson, .csv, .tsv (each "
        "also .gz or .zst) or .parquet"
    )
    rows: str | None = Field(
        description="Field that holds the columns of a row, or a list of rows, if they are nested; a row without it is "
        "read as it is"
    )
    columns: dict[str, ColumnConfig] = Field(
        description="Columns to read, each with its role; columns that are not declared are not read"
    )
    where: str | None = Field(
        description="SQL condition on the source's columns, as text: \"lang = 'en'\", \"TRY_CAST(score AS INT) > "
        '3". Rows that do not meet it are left out and counted'
    )
    separator: Annotated[str, AfterValidator(_is_separator)] | None = Field(
        description=r"CSV: the character between cells, or tab, or an escape such as \x01; null detects it per file"
    )
    encoding: Annotated[str, AfterValidator(_is_encoding)] | None = Field(
        description="Encoding of text files that are not UTF-8 and have no byte order mark, such as cp1252; null reads "
        "UTF-8"
    )


@section
class SideTableConfig:
    name: str = Field(description="Name of the table, by which keys join it; its columns become <name>_<column>")
    files: str = Field(description="File name pattern, as for the messages; a file that matches both holds messages")
    key: str = Field(description="Column to which the keys of the messages refer")
    columns: dict[str, ColumnConfig] = Field(
        default_factory=dict,
        description="Columns to read: category and number become fields, raw columns are for the dataset's own steps. "
        "With a column of role time, the latest row that is not after the message counts, otherwise the first row per "
        "key",
    )


Rare = TypedDict(
    "Rare",
    {"under": NotRequired[Annotated[int, Field(ge=2, strict=True)]], "as": Literal["other", "ignore", "quarantine"]},
)
Rare.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined] # how pydantic is told of a TypedDict


@section
class LabelConfig:
    column: Any = Field(
        description="Column of the label; a list of columns is a hierarchy: [sentiment, reason]. If an entry is a "
        "list, the first of its columns that exists counts. null: the messages have no labels"
    )
    classes: Any = Field(
        description="auto (found in the data and kept by the model), a list of labels, or a mapping from class to its "
        "labels"
    )
    rare: Rare | None = Field(
        description="What becomes of small and unknown classes: {under: 20, as: other}; as: other, ignore or "
        "quarantine. null: unknown labels are quarantined, and a class with too few messages stops the training"
    )
    ordered: bool | None = Field(
        description="Whether the labels have an order, that of their numbers or else that of `classes`. Models then "
        "also learn from the order of the single labels. null: yes for ratings, numbers that `classes` maps to "
        "consecutive ranges of several"
    )
    out_of_scope: list[str | int | float | bool] = Field(
        description="Labels of messages that belong to no class. No class is learned from them; they determine and "
        "measure when the model abstains (training.decision.abstain)",
    )


@section
class SplitConfig:
    by: Split | None = Field(
        description="time (holds out the newest messages), random (a stratified draw) or group (whole groups of "
        "`column`); null takes time if the messages have one, otherwise random"
    )
    column: str | None = Field(
        description="Column whose values are the groups; every split keeps equal texts on one side"
    )


@section
class DatasetConfig:
    name: Name = Field(description="Name of the dataset; each dataset has a feature store of its own")
    raw_dir: str = Field(description="Folder with the raw files")
    follow_links: bool = Field(
        description="Read files behind symbolic links that lead out of raw_dir or the inbox. Whoever can write there "
        "can then make the job read any file that it can access"
    )
    generate: bool = Field(description="Write the generated sample if raw_dir holds no message file")
    sample: str | None = Field(
        description="Generator that writes a sample in the format of the source; null if there is none"
    )
    messages: MessagesConfig = Field(description="Where the messages are, and what their columns mean")
    label: LabelConfig = Field(description="What the messages are labelled with")
    side_tables: list[SideTableConfig] = Field(description="Tables that the keys of the messages join")
    forbidden: list[str] = Field(
        description="Columns of any table that hold the label or something from after the message: none of them may "
        "have a role"
    )
    split: SplitConfig = Field(description="How messages are held out")
    steps: list[Step] = Field(
        description="Feature steps that the source adds: before the embedding, or right after the step that _after_ "
        "names"
    )
