"""The file of a dataset, each choice with its reason."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

import yaml

from batch_nlp.dataset.columns import can_be_field
from batch_nlp.onboarding.choices import Choices
from batch_nlp.onboarding.columns import ColumnProfile
from batch_nlp.onboarding.problems import LEAST, percent, shown, small_classes, spoken, told_together
from batch_nlp.onboarding.source import Source
from batch_nlp.onboarding.tables import SideTable

# Of the settings: the band of the literal rule, and how many equal times a split takes
_LOW, _HIGH, _EQUAL_TIMES = 0.1, 0.9, 0.2
# A batch of the smaller ones, and false alarms of it that are too many
_BATCH, _OFTEN = 100, 0.05
# Share of texts with tags from which they are stripped
_TAGGED = 0.02
_INTERPOLATION = re.compile(r"(\\*)\$\{")


def scalar(value: str) -> str:
    r"""Return a text as a YAML scalar that the settings read as that text, whatever is in it.

    Examples
    --------
    >>> scalar("a: b"), scalar("${x}")
    ('"a: b"', '"\\\\${x}"')
    """
    # what OmegaConf would look up, with the backslashes before it doubled
    escaped = _INTERPOLATION.sub(lambda found: found[1] * 2 + "\\${", value)
    return _quoted(escaped)


def _quoted(value: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) and isinstance(yaml.safe_load(value), str)
    if plain:
        return value
    found: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf)
    return found.strip()


def _sequence(names: Iterable[str]) -> str:
    return "[" + ", ".join(map(scalar, names)) + "]"


def _rule(choices: Choices) -> tuple[str, str] | None:
    """Return the drift rule that fits the classes and why; None where the literal one does."""
    sizes = choices.labels[0].sizes
    shares = {name: size / sizes.total() for name, size in sizes.items()}
    if any(not _LOW <= share <= _HIGH for share in shares.values()):
        return "reference", "a class is under 10 % or over 90 % by nature, so shares are compared with the hold-out"
    alarms = {name: _alarms(share) for name, share in shares.items()}
    name = max(alarms, key=lambda name: alarms[name])
    if alarms[name] <= _OFTEN:
        return None
    edge = "under 10 %" if shares[name] < 1 / 2 else "over 90 %"
    return "interval", (
        f"{shown(name, 30)} has {percent(shares[name])} of the messages, and by chance {edge} in "
        f"{percent(alarms[name])} of batches of {_BATCH}, so a share is out only with its interval"
    )


def _alarms(share: float) -> float:
    """Return the share of batches that hold less or more of a class than the band allows though nothing has changed."""
    from scipy.stats import binom

    return float(binom.cdf(math.ceil(_LOW * _BATCH) - 1, _BATCH, share) + binom.sf(_HIGH * _BATCH, _BATCH, share))


def document(name: str, source: Source, choices: Choices, looked_at: str) -> str:
    """Return the text of a dataset's file.

    Parameters
    ----------
    name : str
        Of the dataset.
    source : Source
        Where its files are, and how they are written.
    choices : Choices
    looked_at : str
        What the choices are based on, for the reader.
    """
    return "\n".join(_lines(name, source, choices, looked_at)) + "\n"


def _lines(name: str, source: Source, choices: Choices, looked_at: str) -> Iterator[str]:
    yield f"# Written by pipeline=init from {shown(looked_at, 300)}. Change what is not so: docs/datasets.md."
    if choices.labels and (rule := _rule(choices)):
        yield "defaults:"
        yield f"  # {rule[1]}"
        yield f"  - override /drift@_global_.drift: {rule[0]}"
        yield ""
    yield f"name: {scalar(name)}"
    if "folder" in source.notes:
        yield f"# {source.notes['folder']}"
    yield f"raw_dir: {scalar(str(source.folder))}"
    yield "messages:"
    if "pattern" in source.notes:
        yield f"  # {source.notes['pattern']}"
    yield f"  files: {scalar(source.pattern)}"
    if source.encoding is not None:
        yield "  # the text files are not UTF-8, and can be read so"
        yield f"  encoding: {source.encoding}"
    if source.separator is not None:
        yield "  # it stands in each row as often as in the first line"
        yield f"  separator: {_quoted(source.separator)}"
    if source.under is not None:
        yield f"  # the columns of a row lie under this field{source.notes.get('rows', '')}"
        yield f"  rows: {scalar(source.under)}"
    yield "  columns:"
    yield f"    # {choices.reasons['text']}; {percent(choices.repeated)} of the texts repeat an earlier one"
    yield f"    # {spoken(choices)}"
    for column in choices.texts:
        yield f"    {_quoted(column.name)}: {{role: text}}"
    for column in choices.ids:
        yield f"    # {choices.reasons['id']}"
        yield f"    {_quoted(column.name)}: {{role: id}}"
    if not choices.ids:
        yield "    # no id was found: a message is known by its text, time and keys"
    for column in choices.times:
        yield from _time(column, choices.reasons["time"])
    keys = {table.column: table for table in source.side_tables}
    for column in choices.others:
        if column.name in keys:
            yield f"    {_quoted(column.name)}: {{role: key, of: {scalar(keys[column.name].name)}}}"
    yield from _others([column for column in choices.others if column.name not in keys], "    ")
    yield from _label(choices)
    yield from _side_tables(source.side_tables)
    yield from _forbidden(choices)
    yield from _split(choices)
    if choices.tagged >= _TAGGED:
        yield f"# {percent(choices.tagged)} of the texts have tags of HTML"
        yield "steps:"
        yield "  - {_target_: batch_nlp.steps.strip_html.StripHtml, _after_: clean_text}"


def _time(column: ColumnProfile, reason: str) -> Iterator[str]:
    yield f"    # {reason}, for example {shown(column.there[0])}"
    form = column.time.format if column.time else None
    if column.time and column.time.other:
        yield f"    # {column.time.other} reads all of them too: say so if days and months are the other way round"
    yield f"    {_quoted(column.name)}: {{role: time{'' if form is None else f', format: {scalar(form)}'}}}"


def _others(columns: Sequence[ColumnProfile], indent: str) -> Iterator[str]:
    if features := [column for column in columns if not column.is_index and not column.holds_objects]:
        yield f"{indent}# not read; take the # away to make a feature of a column that is known when a message arrives"
    names = {column.name for column in columns}
    for column in features:
        role = "number" if column.sign and len(column.sizes) > 2 else "category"
        form = ', format: ","' if role == "number" and column.sign == "," else ""
        other = "" if can_be_field(column.name) else f", name: {_field_name(column.name, names)}"
        yield f"{indent}# {_quoted(column.name)}: {{role: {role}{form}{other}}}  # {shown(column.there[0], 40)}"
    for column in columns:
        if column.is_index:
            yield f"{indent}# {_quoted(column.name)} numbers the rows, which is no feature"
        elif column.holds_objects:
            yield f"{indent}# {_quoted(column.name)} holds objects, of which no field can be read"


def _field_name(column: str, taken: set[str]) -> str:
    """Return a name for the field of a column whose own cannot be one; it is taken then."""
    word = re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
    names = (f"column_{word}{number}" for number in ("", *range(len(taken))))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _side_tables(tables: Sequence[SideTable]) -> Iterator[str]:
    if tables:
        yield "side_tables:"
    for table in tables:
        yield f"  # each row of it has its own {shown(table.key)}, which {shown(table.column)} of the messages names"
        yield f"  - name: {scalar(table.name)}"
        yield f"    files: {scalar(table.files)}"
        yield f"    key: {scalar(table.key)}"
        yield "    columns: {}  # in place of the braces, lines of those below:"
        yield from _others([column for column in table.columns if can_be_field(f"_{column.name}")], "      ")


def _label(choices: Choices) -> Iterator[str]:
    if not choices.labels:
        yield f"# no label: {choices.reasons['label']}. Another dataset's champion can score them:"
        yield "# inference.champion_of=NAME"
        yield "label: {column: null}"
        return
    sizes = choices.classes.most_common()
    named = ", ".join(f"{shown(target, 30)} {size:,}" for target, size in sizes[:8])
    yield f"# {choices.reasons['label']}; {len(sizes)} classes: {named}{', ...' if len(sizes) > 8 else ''}"
    yield "label:"
    yield f"  column: {_column(choices.levels)}"
    if small := small_classes(choices.classes):
        yield f"  # {len(small)} of them have fewer than {LEAST} messages here, too few to be learned each"
        yield f"  rare: {{under: {LEAST}, as: other}}"


def _column(levels: list[list[str]]) -> str:
    if len(levels) == 1 and len(levels[0]) == 1:
        return scalar(levels[0][0])
    return "[" + ", ".join(scalar(names[0]) if len(names) == 1 else _sequence(names) for names in levels) + "]"


def _forbidden(choices: Choices) -> Iterator[str]:
    if found := [*choices.leaks, *choices.leaks_together]:
        if choices.leaks:
            yield "# messages with one value here have one label: it is known only when the label is"
        if choices.leaks_together:
            yield f"# {told_together(choices)}; take away what is known when a message arrives"
        yield f"forbidden: {_sequence(column.name for column in found)}"


def _split(choices: Choices) -> Iterator[str]:
    if not choices.labels:
        return
    if choices.times and choices.equal_times <= _EQUAL_TIMES and not choices.one_sided:
        yield "# the newest messages are held out: that is how the model will be used"
        yield "split: {by: time}"
    else:
        equal = "many messages have one time" if choices.times else "the messages have no time"
        one = f"no split by time has {shown(choices.one_sided[0], 30)} on both sides" if choices.one_sided else None
        why = one or equal
        yield f"# {why}, so the hold-out is drawn; equal texts stay on one side"
        yield "split: {by: random}"
