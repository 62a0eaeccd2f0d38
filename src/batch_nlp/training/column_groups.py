"""Which columns of the classifier's input belong together."""

from __future__ import annotations

from collections.abc import Iterable

from batch_nlp.fields import Fields

NGRAMS, SENTENCES, TABULAR = "ngrams", "sentences", "tabular"
_INDICATOR = "missingindicator_"


def column_groups(columns: Iterable[str], fields: Fields, *, coarse: bool = False) -> dict[str, list[str]]:
    """Return the columns of each group, groups and columns in the order of the columns.

    Parameters
    ----------
    columns : iterable of str
        What the classifier is given.
    fields : Fields
        What they were made of.
    coarse : bool
        Whether all numbers and categories form one group, ``tabular``.

    Returns
    -------
    dict of list of str
        A number with its indicator of missing values, the columns of one category, since a row belongs to one of its
        values, and the dimensions of one vector, under the field's name; scores of n-grams, and those of sentences.
    """
    owners = {f"{name}_": name for name in (*fields.categories, *fields.vectors)}
    owners |= {"ngram_score_": NGRAMS, "sentence_": SENTENCES}
    tabular = {*fields.numbers, *fields.categories} if coarse else set()
    groups: dict[str, list[str]] = {}
    for column in map(str, columns):
        group = column.removeprefix(_INDICATOR)
        if group not in fields.names:
            # a category may be named like the beginning of another
            prefix = max(filter(column.startswith, owners), key=len, default=None)
            group = owners[prefix] if prefix else group
        groups.setdefault(TABULAR if group in tabular else group, []).append(column)
    return groups
