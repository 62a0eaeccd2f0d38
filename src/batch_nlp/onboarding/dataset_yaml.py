"""Write a dataset's file, with the reason for each choice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

import yaml

from batch_nlp.dataset.message_columns import can_be_field
from batch_nlp.onboarding.column_profiles import ColumnProfile
from batch_nlp.onboarding.data_warnings import (
    condition,
    joint_leak_note,
    languages_note,
    percent,
    shown,
    small_classes_note,
)
from batch_nlp.onboarding.guess_roles import unfit_reason
from batch_nlp.onboarding.guess_tables import SideTable
from batch_nlp.onboarding.proposal import Proposal
from batch_nlp.onboarding.source_files import Source

# Size of a small batch; share of false alarms that is too high
_BATCH, _OFTEN = 100, 0.05
# Share of texts with HTML tags from which the tags are removed
_TAGGED = 0.02
_INTERPOLATION = re.compile(r"(\\*)\$\{")


def scalar(value: str) -> str:
    r"""Return any text as a YAML scalar that the settings read unchanged.

    Examples
    --------
    >>> scalar("a: b"), scalar("${x}")
    ('"a: b"', '"\\\\${x}"')
    """
    # escape OmegaConf's interpolations, and double the backslashes before them
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


def _rule(proposal: Proposal) -> tuple[str, str] | None:
    """Return the drift rule that fits the classes and the reason; None for the literal rule."""
    sizes, low, high = proposal.labels[0].sizes, proposal.config.drift.low, proposal.config.drift.high
    shares = {name: size / sizes.total() for name, size in sizes.items()}
    if outer := [name for name, share in shares.items() if not low <= share <= high]:
        return "reference", (
            f"class {shown(outer[0], 30)} has {percent(shares[outer[0]])} of the messages, outside the usual band of "
            f"{percent(low)} to {percent(high)}, so shares are compared with the hold-out"
        )
    alarms = {name: _alarms(share, low, high) for name, share in shares.items()}
    name = max(alarms, key=lambda name: alarms[name])
    if alarms[name] <= _OFTEN:
        return None
    edge = f"under {percent(low)}" if shares[name] < 1 / 2 else f"over {percent(high)}"
    return "interval", (
        f"class {shown(name, 30)} has {percent(shares[name])} of the messages and is {edge} by chance in "
        f"{percent(alarms[name])} of batches of {_BATCH}, so only a whole interval outside the band counts"
    )


def _alarms(share: float, low: float, high: float) -> float:
    """Return the share of batches in which a class leaves the band by chance."""
    from scipy.stats import binom

    return float(binom.cdf(math.ceil(low * _BATCH) - 1, _BATCH, share) + binom.sf(high * _BATCH, _BATCH, share))


def render_dataset(name: str, source: Source, proposal: Proposal, looked_at: str) -> str:
    """Return the content of a dataset's file; `looked_at` tells the reader what the proposal is based on."""
    return "\n".join(_lines(name, source, proposal, looked_at)) + "\n"


def _lines(name: str, source: Source, proposal: Proposal, looked_at: str) -> Iterator[str]:
    yield f"# Written by pipeline=init from {shown(looked_at, 300)}."
    yield "# Correct what is wrong; docs/datasets.md explains every line."
    if proposal.labels and (rule := _rule(proposal)):
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
        yield "  # the text files are not UTF-8; this encoding reads them"
        yield f"  encoding: {source.encoding}"
    if source.separator is not None:
        yield "  # each row contains this character as often as the first line"
        yield f"  separator: {_quoted(source.separator)}"
    if source.under is not None:
        yield f"  # this field contains the columns of a row{source.notes.get('rows', '')}"
        yield f"  rows: {scalar(source.under)}"
    yield "  columns:"
    yield f"    # {proposal.reasons['text']}; {percent(proposal.repeated)} of them repeat an earlier one"
    yield f"    # {languages_note(proposal)}"
    for column in proposal.texts:
        yield f"    {_quoted(column.name)}: {{role: text}}"
    for column in proposal.ids:
        yield f"    # {proposal.reasons['id']}"
        yield f"    {_quoted(column.name)}: {{role: id}}"
    if not proposal.ids:
        yield "    # no id was found: text, time and keys identify a message"
    for column in proposal.times:
        yield from _time(column, proposal.reasons["time"])
    keys = {table.column: table for table in source.side_tables}
    for column in proposal.others:
        if column.name in keys:
            yield f"    {_quoted(column.name)}: {{role: key, of: {scalar(keys[column.name].name)}}}"
    yield from _others([column for column in proposal.others if column.name not in keys], "    ")
    if (where := condition(proposal)) is not None:
        yield f"  # {percent(proposal.textless)} of the rows have no text"
        yield f"  where: {scalar(where)}"
    yield from _label(proposal)
    yield from _side_tables(source.side_tables)
    yield from _forbidden(proposal)
    yield from _split(proposal)
    if proposal.tagged >= _TAGGED:
        yield f"# {percent(proposal.tagged)} of the texts contain HTML tags, which this step removes"
        yield "steps:"
        yield "  - {_target_: batch_nlp.steps.strip_html.StripHtml, _after_: clean_text}"


def _time(column: ColumnProfile, reason: str) -> Iterator[str]:
    yield f"    # {reason}, for example {shown(column.there[0])}"
    form = column.time.format if column.time else None
    if column.time and column.time.other:
        yield f"    # {column.time.other} fits all values, too: use it if day and month are swapped"
    yield f"    {_quoted(column.name)}: {{role: time{'' if form is None else f', format: {scalar(form)}'}}}"


def _others(columns: Sequence[ColumnProfile], indent: str, joins: bool = False) -> Iterator[str]:
    unfits = {column.name: unfit_reason(column, joins) for column in columns}
    if features := [column for column in columns if not unfits[column.name]]:
        yield f"{indent}# not read: uncomment a column to make it a feature, if it is known when a message arrives"
    # field names that differ only in case are equal
    names, first = {*unfits}, {column.name.casefold(): column for column in reversed(features)}
    for column in features:
        role = "number" if column.sign and len(column.sizes) > 2 else "category"
        form = ', format: ","' if role == "number" and column.sign == "," else ""
        own = can_be_field(column.name) and first[column.name.casefold()] is column
        other = "" if own else f", name: {_field_name(column.name, names)}"
        yield f"{indent}# {_quoted(column.name)}: {{role: {role}{form}{other}}}  # such as {shown(column.there[0], 40)}"
    if any(unfits.values()):
        yield f"{indent}# not read, and unsuitable as features:"
    for name, reason in unfits.items():
        if reason:
            yield f"{indent}# {_quoted(name)} {reason}"


def _field_name(column: str, taken: set[str]) -> str:
    """Return a valid field name for a column, and add it to `taken`."""
    word = re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
    names = (f"column_{word}{number}" for number in ("", *range(len(taken))))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _side_tables(tables: Sequence[SideTable]) -> Iterator[str]:
    if tables:
        yield "side_tables:"
    for table in tables:
        yield f"  # {shown(table.key)} identifies its rows; {shown(table.column)} of the messages refers to it"
        yield f"  - name: {scalar(table.name)}"
        yield f"    files: {scalar(table.files)}"
        yield f"    key: {scalar(table.key)}"
        yield "    columns: {}  # replace the braces by lines from below"
        yield from _others([column for column in table.columns if can_be_field(f"_{column.name}")], "      ", True)


def _label(proposal: Proposal) -> Iterator[str]:
    if not proposal.labels:
        yield f"# no label was found ({proposal.reasons['label']}). Another dataset's champion can score the messages:"
        yield "# inference.champion_of=NAME"
        yield "label: {column: null}"
        return
    sizes = proposal.classes.most_common()
    named = ", ".join(f"{shown(target, 30)} {size:,}" for target, size in sizes[:8])
    yield f"# {proposal.reasons['label']}; {len(sizes)} classes: {named}{', ...' if len(sizes) > 8 else ''}"
    yield "label:"
    yield f"  column: {_column(proposal.levels)}"
    if small := small_classes_note(proposal):
        yield f"  # {small}"
        yield f"  rare: {{under: {proposal.least}, as: other}}"


def _column(levels: list[list[str]]) -> str:
    if len(levels) == 1 and len(levels[0]) == 1:
        return scalar(levels[0][0])
    return "[" + ", ".join(scalar(names[0]) if len(names) == 1 else _sequence(names) for names in levels) + "]"


def _forbidden(proposal: Proposal) -> Iterator[str]:
    if found := [*proposal.leaks, *proposal.leaks_together]:
        if proposal.leaks:
            yield "# messages with equal values here have equal labels, so the values are known only with the label"
        if proposal.leaks_together:
            yield f"# {joint_leak_note(proposal)}; remove those known when a message arrives"
        yield f"forbidden: {_sequence(column.name for column in found)}"


def _split(proposal: Proposal) -> Iterator[str]:
    if not proposal.labels:
        return
    if proposal.times and proposal.equal_times <= proposal.config.training.max_equal_times and not proposal.one_sided:
        yield "# the newest messages are held out, since the model will score newer ones"
        yield "split: {by: time}"
    else:
        why = "many messages have the same time" if proposal.times else "the messages have no time"
        if proposal.one_sided:
            why = f"a split by time would leave all of {shown(proposal.one_sided[0], 30)} on one side"
        yield f"# {why}, so the hold-out is drawn at random; equal texts stay on one side"
        yield "split: {by: random}"
