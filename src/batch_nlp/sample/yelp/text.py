"""Writes the text of a review: the stars tend to decide the mood, and the mood tends to decide the words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from batch_nlp.sample.banks import bank
from batch_nlp.sample.clauses import MASK, TABLE, Item, draw_clause
from batch_nlp.sample.keys import Draw
from batch_nlp.sample.yelp.grammar import Grammar, Tone, novel_grammar, topic_grammars

Mood = tuple[Tone, ...]

# Mean words of a sentence, measured over all topics and moods.
_WORDS_A_SENTENCE = 7.2

# Tones of a review in percent, in the order of `Tone`: great, good, okay, bad, awful, fact, sarcasm.
_MOODS: dict[str, tuple[int, ...]] = {
    "rave": (49, 23, 2, 2, 0, 24, 0),
    "content": (17, 44, 8, 5, 0, 26, 0),
    "torn": (5, 24, 20, 20, 3, 28, 0),
    "lukewarm": (2, 15, 39, 14, 1, 29, 0),
    "let_down": (1, 4, 8, 43, 19, 24, 1),
    "rant": (0, 1, 2, 24, 49, 22, 2),
    "ironic": (10, 6, 2, 18, 14, 26, 24),
}

# How many of a hundred reviews with so many stars are in which mood. People differ in what a star means to them, some
# click the wrong one, and three stars are given for many reasons: this is where the classes overlap.
_MOODS_OF_STARS: dict[int, dict[str, int]] = {
    1: {"rant": 69, "let_down": 22, "torn": 4, "ironic": 4, "rave": 1},
    2: {"let_down": 61, "rant": 16, "torn": 13, "lukewarm": 7, "ironic": 2, "content": 1},
    3: {"torn": 47, "lukewarm": 36, "content": 9, "let_down": 7, "rave": 1},
    4: {"content": 63, "rave": 25, "torn": 8, "lukewarm": 3, "let_down": 1},
    5: {"rave": 71, "content": 26, "torn": 2, "rant": 1},
}

# Index into the banks with three entries: negative, neutral, positive.
_OPINION: dict[Tone, int] = {
    Tone.great: 2,
    Tone.good: 2,
    Tone.okay: 1,
    Tone.bad: 0,
    Tone.awful: 0,
    Tone.fact: 1,
    Tone.sarcasm: 0,
}
_ENDS: dict[Tone, tuple[str, ...]] = {
    Tone.great: (".", "!", ".", "!", ".", "!!", ".", "!!!"),
    Tone.good: (".", ".", ".", "!", ".", ".", ".", "."),
    Tone.okay: (".", ".", ".", ".", ".", ".", "...", "."),
    Tone.bad: (".", ".", ".", ".", "...", ".", ".", "!"),
    Tone.awful: (".", "!", ".", "!", ".", "!!", ".", "!!!"),
    Tone.fact: (".", ".", ".", ".", ".", ".", ".", "."),
    Tone.sarcasm: (".", "...", ".", "!", ".", ".", "!", "."),
}
_AND = (", and ", " and ", ", and ", "; ", ", plus ", " - ", ", also ", " and ")
_BUT = (", but ", " but ", ", but ", ", although ", "; still, ", " though ", ", yet ", ", but ")


class Brief(NamedTuple):
    """What one review is to be like.

    Attributes
    ----------
    stars : int
        1 to 5.
    topic : int
        Index into the topics.
    words : float
        Words that the text should have, roughly.
    novel : bool
        Whether it talks about things that the history knows nothing of.
    """

    stars: int
    topic: int
    words: float
    novel: bool


def _by_percent(parts: Iterable[tuple[Item, int]]) -> tuple[Item, ...]:
    """Return a table of `TABLE` entries in which each item has its share."""
    items, percents = zip(*parts, strict=True)
    table: list[Item] = []
    for place, item in enumerate(items):
        table.extend([item] * (round(TABLE * sum(percents[: place + 1]) / 100) - len(table)))
    return tuple(table)


@lru_cache(maxsize=1)
def _moods() -> dict[int, tuple[Mood, ...]]:
    """Return for each number of stars a table of moods, each of them a table of tones."""
    tones = {name: _by_percent(zip(Tone, percents, strict=True)) for name, percents in _MOODS.items()}
    return {
        stars: _by_percent((tones[name], percent) for name, percent in names.items())
        for stars, names in _MOODS_OF_STARS.items()
    }


def write_text(brief: Brief, draw: Draw) -> str:
    """Return the text of one review, drawn from `draw`, a source of random integers of 30 bits."""
    mood = _moods()[brief.stars][draw() & MASK]
    kind = draw() & MASK
    if not brief.novel and kind < 12:
        return _opinion("short", mood, draw)
    sentences = max(1, round(brief.words / _WORDS_A_SENTENCE))
    if not brief.novel and kind < 28:
        return _foreign(mood, sentences, draw)
    text = _english(topic_grammars()[brief.topic], mood, sentences, brief.novel, draw)
    if draw() & 7 == 0:
        text = f"{_opinion('questions', mood, draw)} {text}"
    if kind >= 940:
        text = f"{text} {_opinion('emoji', mood, draw) * (1 + draw() % 3)}"
    return _untidy(text, draw)


def _opinion(kind: str, mood: Mood, draw: Draw) -> str:
    return _pick(bank("yelp_extras")[kind][_OPINION[mood[draw() & MASK]]], draw)


def _pick(items: Sequence[str], draw: Draw) -> str:
    return items[draw() % len(items)]


def _foreign(mood: Mood, sentences: int, draw: Draw) -> str:
    foreign = bank("yelp_extras")["foreign"]
    language = foreign[draw() % len(foreign)]
    told = [_pick(language[_OPINION[mood[draw() & MASK]]], draw) for _ in range(min(sentences, 5))]
    return " ".join(dict.fromkeys(told))


def _english(grammar: Grammar, mood: Mood, sentences: int, novel: bool, draw: Draw) -> str:
    new = novel_grammar() if novel else grammar
    written: list[str] = []
    told: set[str] = set()
    for place in range(sentences):
        dice = draw()
        # The first sentence of a novel message is always about something new, so that every such message is.
        source = new if place == 0 or dice & 3 else grammar
        tone = mood[draw() & MASK]
        if tone is Tone.fact and sentences < 4:
            # Who writes little seldom leaves out the opinion.
            tone = mood[draw() & MASK]
        clause = draw_clause(source[tone], told, draw)
        end = _ENDS[tone][dice >> 2 & 7]
        if dice >> 5 & 7 == 0:
            second = mood[draw() & MASK]
            joint = _BUT if _OPINION[tone] != _OPINION[second] and Tone.fact not in (tone, second) else _AND
            clause = f"{clause}{joint[dice >> 8 & 7]}{draw_clause(source[second], told, draw)}"
        elif tone is Tone.awful and dice >> 11 & 31 == 0:
            clause = clause.upper()
        written.append(f"{clause[0].upper()}{clause[1:]}{end}")
    # Some people hit the space bar twice after a full stop, long texts come in paragraphs.
    space = "  " if draw() & 3 == 0 else " "
    if sentences > 12 and draw() & 1:
        middle = len(written) // 2
        return f"{space.join(written[:middle])}\n\n{space.join(written[middle:])}"
    return space.join(written)


def _untidy(text: str, draw: Draw) -> str:
    """Return the text as people type it: one in twenty without capitals, one in seven with typing errors."""
    style = draw() % 100
    if style < 5:
        text = text.lower()
    if 3 <= style < 17:
        misspellings = bank("yelp_extras")["misspellings"]
        for _ in range(1 + len(text) // 400):
            right, wrong = misspellings[draw() % len(misspellings)]
            text = text.replace(right, wrong)
            place = draw() % len(text)
            # Two letters change places, or one is lost.
            swapped = text[place + 1 : place + 2] + text[place] if draw() & 1 else ""
            text = text[:place] + swapped + text[place + 2 - (not swapped) :]
    return text
