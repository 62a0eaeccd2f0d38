"""Warnings about a dataset that a person should consider."""

from __future__ import annotations

from collections.abc import Iterator

from batch_nlp.dataset.classes import merged
from batch_nlp.dataset.labels import OTHER
from batch_nlp.dataset.parse_times import OR
from batch_nlp.onboarding.proposal import Proposal

# Maximum number of words in a column name
_LONG_NAME = 4
# Share of rows without a text from which a condition excludes them
_TEXTLESS = 0.02
# Number of classes beyond which boosted trees take too long
MANY_CLASSES = 20


def shown(value: object, length: int = 60) -> str:
    """Return a value for a message: on one line, escaped and shortened."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(value)[: length + 1])
    return text if len(text) <= length else text[: length - 3] + "..."


def small_classes_note(proposal: Proposal) -> str:
    """Return a note on classes that are too small to be learned; empty if there are none."""
    sizes, least = proposal.classes, proposal.least
    small = [name for name, size in sizes.items() if size < least]
    place = merged(sizes, small, least, len(proposal.levels) > 1)
    others = [name for name in sizes if place[name] == OTHER]
    together = sum(sizes[name] for name in others)
    left_out = others if together < least else []
    notes = [f"{len(small) - len(left_out)} become other"] if len(small) > len(left_out) else []
    if left_out:
        notes.append(f"{len(left_out)} excluded from training (only {together} messages in total)")
    return f"{len(small)} of {len(sizes)} classes have fewer than {least} messages: {', '.join(notes)}" if small else ""


def percent(share: float) -> str:
    """Return a share in per cent with three digits."""
    return f"{100 * share:.3g} %"


def condition(proposal: Proposal) -> str | None:
    """Return the condition that excludes rows without a text; None if there are few, or a name is not valid in SQL."""
    names = [column.name for column in proposal.texts]
    if proposal.textless < _TEXTLESS or not all(name and name.isprintable() for name in names):
        return None
    quoted = (name.replace('"', '""') for name in names)
    return " OR ".join(f"\"{name}\" <> ''" for name in quoted)


def languages_note(proposal: Proposal) -> str:
    """Return a note on the languages of the texts."""
    found = ", ".join(f"{language} {percent(share)}" for language, share in proposal.languages.items())
    return f"languages: {found or 'unknown'}"


def joint_leak_note(proposal: Proposal) -> str:
    """Return a note on columns that reveal the label in combination."""
    names = ", ".join(shown(column.name, 30) for column in proposal.leaks_together)
    return f"{names}: together, these columns reveal the label of nearly every message"


def data_warnings(proposal: Proposal) -> list[str]:
    """Return all warnings, one sentence each."""
    small, languages = small_classes_note(proposal), list(proposal.languages)
    named = ", ".join(shown(column.name, 30) for column in proposal.texts)
    notes = {
        f"{percent(proposal.textless)} of the rows have no text and are excluded": condition(proposal) is not None,
        f"{percent(proposal.repeated)} of the texts repeat an earlier one": proposal.repeated > 0.05,
        f"No label found ({proposal.reasons['label']}). If there is one, set init.label=COLUMN": not proposal.labels,
        small: bool(small),
        f"{len(proposal.classes)} classes make the default model slow; the commands below use a faster model": len(
            proposal.classes
        )
        > MANY_CLASSES,
        f"The column name {named} looks like a message. If the file has no header line, add one": (
            max((len(column.name.split()) for column in proposal.texts), default=0) > _LONG_NAME
        ),
        f"Most texts are not English ({languages_note(proposal)}). The packaged word vectors are English, so the model "
        "relies on n-grams": (bool(languages) and languages[0] != "en"),
    }
    leaking = [
        f"Column {shown(column.name)} reveals the label; it is forbidden as a feature" for column in proposal.leaks
    ]
    if proposal.leaks_together:
        leaking.append(
            f"{joint_leak_note(proposal)}. They are forbidden as features; allow those known when a message arrives"
        )
    return [f"{what}." for what in (*(what for what, true in notes.items() if true), *leaking, *_of_times(proposal))]


def _of_times(proposal: Proposal) -> Iterator[str]:
    # if no time was chosen, a column with the name of a time probably is one
    looked_for = not proposal.times and not proposal.reasons["time"].startswith("set by")
    for column in (column for column in proposal.others if looked_for and column.is_named("time")):
        of = f"Column {shown(column.name)} has the name of a time, but is not read as one"
        if column.time is None:
            yield f"{of}: no format reads nearly all of its values, such as {shown(column.there[0])}"
        else:
            yield f"{of}: only {percent(column.filled)} of the rows have a value"
    for column in proposal.times:
        of, form = f"Times of column {shown(column.name)}", column.time
        if form is None:
            yield f"{of}, such as {shown(column.there[0])}, cannot be read. Set their format in the file"
        elif form.format and OR in form.format:
            yield f"{of} have several formats; they are read as {form.format}"
        elif form.other:
            yield f"{of} fit two formats: {form.format}, which is used, and {form.other}"
