"""The effect of each word of a message on the score of a class."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from batch_nlp.fields import TEXT
from batch_nlp.training.calibration import class_scores
from batch_nlp.training.ngram_scores import NgramScores
from batch_nlp.training.word_counts import split_sentences
from batch_nlp.words import word_pattern

# Largest number of words to leave out; each costs one prediction
MOST_WORDS_LEFT_OUT = 100


@dataclass(frozen=True)
class WordEffect:
    """A word in a text, and its effect on the score of a class."""

    start: int
    end: int
    effect: float


def term_effects(ngrams: NgramScores, text: str, label: int) -> dict[str, float]:
    """Return the effect of each n-gram of a text on its score for a class, greatest first.

    An effect is the product of the n-gram's TF-IDF weight and its coefficient in the logistic regression on n-grams.
    The effects and the intercept add up to the column ``ngram_score_<label>``, in log-odds.
    """
    names = [str(name) for name in ngrams.get_feature_names_out()[: len(ngrams.coef_)]]
    own = f"ngram_score_{label}"
    # with two classes, only the second one has a score
    score, sign = (names.index(own), 1.0) if own in names else (0, -1.0)
    of_texts, _, _ = ngrams.weigh_terms([text])
    terms = ngrams.terms_.split("\n")
    effects = sign * of_texts.data * ngrams.coef_[score, of_texts.indices]
    order = np.argsort(-effects, kind="stable")
    return {terms[of_texts.indices[place]]: float(effects[place]) for place in order}


def word_effects(text: str, effects: dict[str, float], max_n: int = 1, by_sentence: bool = False) -> list[WordEffect]:
    """Spread the effect of each n-gram evenly over its occurrences and their words.

    With `by_sentence`, n-grams do not cross the ends of sentences. All words of the text are returned in order; their
    effects add up to those of the n-grams.
    """
    places: list[tuple[int, int]] = []
    occurrences = defaultdict[str, list[slice]](list)
    cursor = 0
    for sentence in split_sentences([text])[0] if by_sentence else [text]:
        offset = text.index(sentence, cursor)
        cursor = offset + len(sentence)
        words = list(word_pattern(sentence).finditer(sentence))
        first = len(places)
        places += [(offset + word.start(), offset + word.end()) for word in words]
        for n in range(1, max_n + 1):
            for i in range(len(words) - n + 1):
                term = " ".join(word.group().lower() for word in words[i : i + n])
                if term in effects:
                    occurrences[term].append(slice(first + i, first + i + n))
    found = np.zeros(len(places))
    for term, covered in occurrences.items():
        for part in covered:
            found[part] += effects[term] / len(covered) / (part.stop - part.start)
    return [WordEffect(*place, effect) for place, effect in zip(places, found.tolist(), strict=True)]


def left_out_words(pipeline: Pipeline, row: pd.DataFrame, label: int) -> tuple[dict[str, float], int]:
    """Return how far the score of a class falls if all occurrences of a word are left out, greatest fall first.

    Only the first `MOST_WORDS_LEFT_OUT` different words of the text are tried; the number of the others comes second.
    Embedding and derived features do not change.
    """
    text = str(row[TEXT].iloc[0])
    words = list(dict.fromkeys(word.group().lower() for word in word_pattern(text).finditer(text)))
    tried = words[:MOST_WORDS_LEFT_OUT]
    rows = pd.concat([row] * (len(tried) + 1), ignore_index=True)
    rows[TEXT] = [text, *(_without(text, word) for word in tried)]
    scores = class_scores(pipeline.steps[-1][1].estimator_, pipeline[:-1].transform(rows))[:, label]
    effects = dict(zip(tried, (scores[0] - scores[1:]).tolist(), strict=True))
    return dict(sorted(effects.items(), key=lambda item: -item[1])), len(words) - len(tried)


def _without(text: str, word: str) -> str:
    return word_pattern(text).sub(lambda match: "" if match.group().lower() == word else match.group(), text)
