"""What of some data is worth a person's thought, and how it is put."""

from __future__ import annotations

from collections.abc import Iterator

from batch_nlp.dataset.classes import merged
from batch_nlp.dataset.labels import OTHER
from batch_nlp.dataset.parse_times import OR
from batch_nlp.onboarding.proposal import Proposal

# Of the settings: the least size of a class
LEAST = 20
# Words beyond which a text is not the name of a column
_LONG_NAME = 4
# Share of the rows from which those without a text are left out
_TEXTLESS = 0.02
# Classes beyond which trees for each of them take too long
MANY_CLASSES = 20


def shown(value: object, length: int = 60) -> str:
    """Return a value of a file as a part of one line: what cannot be printed is escaped, what is long is cut."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(value)[: length + 1])
    return text if len(text) <= length else text[: length - 3] + "..."


def small_classes_note(proposal: Proposal) -> str:
    """Return what becomes of the classes that have too few messages to be learned; nothing where all have enough."""
    sizes = proposal.classes
    small = [name for name, size in sizes.items() if size < LEAST]
    place = merged(sizes, small, LEAST, len(proposal.levels) > 1)
    others = [name for name in sizes if place[name] == OTHER]
    together = sum(sizes[name] for name in others)
    left_out = others if together < LEAST else []
    told = [f"{len(small) - len(left_out)} become other"] if len(small) > len(left_out) else []
    if left_out:
        told.append(f"{len(left_out)} left out of trainings (only {together} messages even together)")
    return f"{len(small)} of {len(sizes)} classes have fewer than {LEAST} messages: {', '.join(told)}" if small else ""


def percent(share: float) -> str:
    """Return a share in three digits."""
    return f"{100 * share:.3g} %"


def condition(proposal: Proposal) -> str | None:
    """Return the condition that leaves rows without a text out; None where they are few, or SQL cannot name a text."""
    names = [column.name for column in proposal.texts]
    if proposal.textless < _TEXTLESS or not all(name and name.isprintable() for name in names):
        return None
    quoted = (name.replace('"', '""') for name in names)
    return " OR ".join(f"\"{name}\" <> ''" for name in quoted)


def languages_note(proposal: Proposal) -> str:
    """Return the languages of the texts with their shares."""
    found = ", ".join(f"{language} {percent(share)}" for language, share in proposal.languages.items())
    return f"languages: {found or 'unknown'}"


def joint_leak_note(proposal: Proposal) -> str:
    """Return what gives the label away only together."""
    names = ", ".join(shown(column.name, 30) for column in proposal.leaks_together)
    return f"{names}: these alone tell the label of nearly every message"


def data_warnings(proposal: Proposal) -> list[str]:
    """Return what of the data is worth a person's thought, a sentence each."""
    small, languages = small_classes_note(proposal), list(proposal.languages)
    named = ", ".join(shown(column.name, 30) for column in proposal.texts)
    told = {
        f"{percent(proposal.textless)} of the rows have no text and are left out": condition(proposal) is not None,
        f"{percent(proposal.repeated)} of the texts repeat an earlier one": proposal.repeated > 0.05,
        f"There is no label ({proposal.reasons['label']}). If there is one, say init.label=COLUMN": not proposal.labels,
        small: bool(small),
        f"{len(proposal.classes)} classes are many for the default model; the commands below use one that stays fast "
        "with so many": len(proposal.classes) > MANY_CLASSES,
        f"Columns are called {named}, which looks like a message: if the file has no line of names, put one first": (
            max((len(column.name.split()) for column in proposal.texts), default=0) > _LONG_NAME
        ),
        f"Most texts are not English ({languages_note(proposal)}). The packaged word vectors are English, so the model "
        "relies on n-grams": (bool(languages) and languages[0] != "en"),
    }
    leaking = [
        f"Column {shown(column.name)} gives the label away; it is forbidden as a feature" for column in proposal.leaks
    ]
    if proposal.leaks_together:
        leaking.append(
            f"{joint_leak_note(proposal)}. They are forbidden as features; allow what is known when a message arrives"
        )
    return [f"{what}." for what in (*(what for what, true in told.items() if true), *leaking, *_of_times(proposal))]


def _of_times(proposal: Proposal) -> Iterator[str]:
    # without a time, one that is called so and was not taken is the likely one
    looked_for = not proposal.times and not proposal.reasons["time"].startswith("set by")
    for column in (column for column in proposal.others if looked_for and column.is_named("time")):
        of = f"Column {shown(column.name)} is named like a time, but is not read as one"
        if column.time is None:
            yield f"{of}: no one format reads nearly all of its values, such as {shown(column.there[0])}"
        else:
            yield f"{of}: only {percent(column.filled)} of the rows have a value"
    for column in proposal.times:
        of, form = f"Times of column {shown(column.name)}", column.time
        if form is None:
            yield f"{of}, such as {shown(column.there[0])}, cannot be read: set their format in the file"
        elif form.format and OR in form.format:
            yield f"{of} are written in several ways, and read as {form.format}"
        elif form.other:
            yield f"{of} can be read as {form.format}, which is taken, and as {form.other}"
