"""Write the text of a review: stars influence the mood, and the mood influences the words."""

from __future__ import annotations

from functools import lru_cache

from batch_nlp.sample.clauses import MASK, bank, draw_clause, weighted
from batch_nlp.sample.random_by_index import Draw, pick
from batch_nlp.sample.yelp.grammar import Grammar, Tone, novel_grammar, topic_grammars

Mood = tuple[Tone, ...]

# Mean number of words per sentence, measured over all topics and moods
_WORDS_A_SENTENCE = 7.2


@lru_cache(maxsize=1)
def _moods() -> dict[int, tuple[Mood, ...]]:
    """Return stars -> table of moods, each a table of tones."""
    known = bank("yelp_moods")
    tones = {name: weighted(zip(Tone, percents, strict=True)) for name, percents in known["moods"].items()}
    return {
        stars: weighted((tones[name], percent) for name, percent in names.items())
        for stars, names in known["stars"].items()
    }


def write_text(stars: int, topic: int, words: float, novel: bool, draw: Draw) -> str:
    """Return the text of one review about a topic, with about `words` words.

    A novel review is about things that the history does not mention.
    """
    mood = _moods()[stars][draw() & MASK]
    kind = draw() & MASK
    if not novel and kind < 12:
        return _opinion("short", mood, draw)
    sentences = max(1, round(words / _WORDS_A_SENTENCE))
    if not novel and kind < 28:
        return _foreign(mood, sentences, draw)
    text = _english(topic_grammars()[topic], mood, sentences, novel, draw)
    if draw() & 7 == 0:
        text = f"{_opinion('questions', mood, draw)} {text}"
    if kind >= 940:
        text = f"{text} {_opinion('emoji', mood, draw) * (1 + draw() % 3)}"
    return _untidy(text, draw)


def _opinion(kind: str, mood: Mood, draw: Draw) -> str:
    opinions: list[str] = bank("yelp_extras")[kind][_opinion_of(mood[draw() & MASK])]
    return pick(opinions, draw)


def _opinion_of(tone: Tone) -> int:
    return int(bank("yelp_moods")["opinions"][tone])


def _foreign(mood: Mood, sentences: int, draw: Draw) -> str:
    foreign = bank("yelp_extras")["foreign"]
    language = pick(foreign, draw)
    told = [pick(language[_opinion_of(mood[draw() & MASK])], draw) for _ in range(min(sentences, 5))]
    return " ".join(dict.fromkeys(told))


def _english(grammar: Grammar, mood: Mood, sentences: int, novel: bool, draw: Draw) -> str:
    new, style = novel_grammar() if novel else grammar, bank("yelp_moods")
    written: list[str] = []
    told: set[str] = set()
    for place in range(sentences):
        dice = draw()
        # the first sentence of a novel message is always about something new
        source = new if place == 0 or dice & 3 else grammar
        tone = mood[draw() & MASK]
        if tone is Tone.fact and sentences < 4:
            # short reviews seldom lack an opinion
            tone = mood[draw() & MASK]
        clause = draw_clause(source[tone], told, draw)
        end = style["ends"][tone][dice >> 2 & 7]
        if dice >> 5 & 7 == 0:
            second = mood[draw() & MASK]
            differ = style["opinions"][tone] != style["opinions"][second] and Tone.fact not in (tone, second)
            joint = style["but" if differ else "and"]
            clause = f"{clause}{joint[dice >> 8 & 7]}{draw_clause(source[second], told, draw)}"
        elif tone is Tone.awful and dice >> 11 & 31 == 0:
            clause = clause.upper()
        written.append(f"{clause[0].upper()}{clause[1:]}{end}")
    # some people type two spaces after a full stop, and long texts have paragraphs
    space = "  " if draw() & 3 == 0 else " "
    if sentences > 12 and draw() & 1:
        middle = len(written) // 2
        return f"{space.join(written[:middle])}\n\n{space.join(written[middle:])}"
    return space.join(written)


def _untidy(text: str, draw: Draw) -> str:
    """Return the text as people type it: one in twenty in lower case, one in seven with typing errors."""
    style = draw() % 100
    if style < 5:
        text = text.lower()
    if 3 <= style < 17:
        misspellings = bank("yelp_extras")["misspellings"]
        for _ in range(1 + len(text) // 400):
            right, wrong = pick(misspellings, draw)
            text = text.replace(right, wrong)
            place = draw() % len(text)
            # two letters are swapped, or one is lost
            swapped = text[place + 1 : place + 2] + text[place] if draw() & 1 else ""
            text = text[:place] + swapped + text[place + 2 - (not swapped) :]
    return text
