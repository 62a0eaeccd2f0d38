"""The file of a dataset, each choice with its reason."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import yaml

from batch_nlp.onboarding.choices import Choices
from batch_nlp.onboarding.columns import ColumnProfile
from batch_nlp.onboarding.source import Source
from batch_nlp.onboarding.tables import SideTable

# Of the settings: the band of the literal rule, the least size of a class, and how many equal times a split takes
_LOW, _HIGH, _LEAST, _EQUAL_TIMES = 0.1, 0.9, 20, 0.2
# Share of texts with tags from which they are stripped
_TAGGED = 0.02
# Words beyond which a text is not the name of a column
_LONG_NAME = 4
# Classes beyond which trees for each of them take too long
MANY_CLASSES = 20
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


def shown(value: object, length: int = 60) -> str:
    """Return a value of a file as a part of one line: what cannot be printed is escaped, what is long is cut."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(value)[: length + 1])
    return text if len(text) <= length else text[: length - 3] + "..."


def small_classes(classes: Counter[str]) -> list[str]:
    """Return the classes that have too few messages to be learned."""
    return [name for name, size in classes.items() if size < _LEAST]


def is_rare_by_nature(choices: Choices) -> bool:
    """Say whether the literal rule would call out a batch that is like these messages."""
    sizes = choices.labels[0].sizes
    return any(not _LOW <= size / sizes.total() <= _HIGH for size in sizes.values())


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
    if choices.labels and is_rare_by_nature(choices):
        yield "defaults:"
        yield "  # a class is under 10 % or over 90 % by nature, so shares are compared with those of the hold-out"
        yield "  - override /drift@_global_.drift: reference"
        yield ""
    yield f"name: {scalar(name)}"
    yield f"raw_dir: {scalar(str(source.folder))}"
    yield "messages:"
    yield f"  files: {scalar(source.pattern)}"
    if source.encoding is not None:
        yield "  # the text files are not UTF-8, and can be read so"
        yield f"  encoding: {source.encoding}"
    if source.separator is not None:
        yield "  # it stands in each row as often as in the first line"
        yield f"  separator: {_quoted(source.separator)}"
    if source.under is not None:
        yield "  # the columns of a row lie under this field"
        yield f"  rows: {scalar(source.under)}"
    yield "  columns:"
    yield f"    # {choices.reasons['text']}; {_percent(choices.repeated)} of the texts repeat an earlier one"
    yield f"    # {_spoken(choices)}"
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
        yield f"# {_percent(choices.tagged)} of the texts have tags of HTML"
        yield "steps:"
        yield "  - {_target_: batch_nlp.steps.strip_html.StripHtml, _after_: clean_text}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _spoken(choices: Choices) -> str:
    found = ", ".join(f"{language} {_percent(share)}" for language, share in choices.languages.items())
    return f"languages: {found or 'unknown'}"


def _time(column: ColumnProfile, reason: str) -> Iterator[str]:
    yield f"    # {reason}, for example {shown(column.there[0])}"
    form = column.time.format if column.time else None
    if column.time and column.time.other:
        yield f"    # {column.time.other} reads all of them too: say so if days and months are the other way round"
    yield f"    {_quoted(column.name)}: {{role: time{'' if form is None else f', format: {scalar(form)}'}}}"


def _others(columns: Sequence[ColumnProfile], indent: str) -> Iterator[str]:
    if columns:
        yield f"{indent}# not read; take the # away to make a feature of a column that is known when a message arrives"
    for column in columns:
        role = "number" if column.is_numeric and len(column.sizes) > 2 else "category"
        yield f"{indent}# {_quoted(column.name)}: {{role: {role}}}  # {shown(column.there[0], 40)}"


def _side_tables(tables: Sequence[SideTable]) -> Iterator[str]:
    if tables:
        yield "side_tables:"
    for table in tables:
        yield f"  # each row of it has its own {shown(table.key)}, which {shown(table.column)} of the messages names"
        yield f"  - name: {scalar(table.name)}"
        yield f"    files: {scalar(table.files)}"
        yield f"    key: {scalar(table.key)}"
        yield "    columns: {}  # in place of the braces, lines of those below:"
        yield from _others(table.columns, "      ")


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
        yield f"  # {len(small)} of them have fewer than {_LEAST} messages here, too few to be learned each"
        yield f"  rare: {{under: {_LEAST}, as: other}}"


def _column(levels: list[list[str]]) -> str:
    if len(levels) == 1 and len(levels[0]) == 1:
        return scalar(levels[0][0])
    return "[" + ", ".join(scalar(names[0]) if len(names) == 1 else _sequence(names) for names in levels) + "]"


def _forbidden(choices: Choices) -> Iterator[str]:
    if found := [*choices.leaks, *choices.leaks_together]:
        if choices.leaks:
            yield "# messages with one value here have one label: it is known only when the label is"
        if choices.leaks_together:
            yield f"# {_told_by(choices)}; take away what is known when a message arrives"
        yield f"forbidden: {_sequence(column.name for column in found)}"


def _told_by(choices: Choices) -> str:
    names = ", ".join(shown(column.name, 30) for column in choices.leaks_together)
    return f"{names}: these alone tell the label of nearly every message"


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


def problems(choices: Choices) -> list[str]:
    """Return what of the data is worth a person's thought, a sentence each."""
    small, languages = small_classes(choices.classes), list(choices.languages)
    named = ", ".join(shown(column.name, 30) for column in choices.texts)
    told = {
        f"{_percent(choices.repeated)} of the texts repeat an earlier one": choices.repeated > 0.05,
        f"There is no label: {choices.reasons['label']}. If there is one, say init.label=COLUMN": not choices.labels,
        f"{len(small)} of {len(choices.classes)} classes have fewer than {_LEAST} messages and become other": bool(
            small
        ),
        f"{len(choices.classes)} classes are many for the default model; the commands below take one that is fast "
        "with them": len(choices.classes) > MANY_CLASSES,
        f"Columns are called {named}, which looks like a message: if the file has no line of names, put one first": (
            max((len(column.name.split()) for column in choices.texts), default=0) > _LONG_NAME
        ),
        f"Most texts are not English ({_spoken(choices)}), and the packaged vectors are; the n-grams do the work": (
            bool(languages) and languages[0] != "en"
        ),
    }
    leaking = [
        f"Column {shown(column.name)} gives the label away; it is forbidden as a feature" for column in choices.leaks
    ]
    if choices.leaks_together:
        leaking.append(
            f"{_told_by(choices)}. They are forbidden as features; take away what is known when a message arrives"
        )
    return [f"{what}." for what in (*(what for what, true in told.items() if true), *leaking, *_of_times(choices))]


def _of_times(choices: Choices) -> Iterator[str]:
    # without a time, one that is called so and was not taken is the likely one
    looked_for = not choices.times and not choices.reasons["time"].startswith("said by")
    for column in (column for column in choices.others if looked_for and column.is_named("time")):
        of = f"Column {shown(column.name)} is called like a time and is not read as one"
        if column.time is None:
            yield f"{of}: no one format reads nearly all of its values, such as {shown(column.there[0])}"
        else:
            yield f"{of}: only {_percent(column.filled)} of the rows have a value"
    for column in choices.times:
        of, form = f"Times of column {shown(column.name)}", column.time
        if form is None:
            yield f"{of}, such as {shown(column.there[0])}, cannot be read: set their format in the file"
        elif form.other:
            yield f"{of} can be read as {form.format}, which is taken, and as {form.other}"
