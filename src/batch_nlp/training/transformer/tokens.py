"""Texts as the model reads them: tokens, of long texts the head and the tail, and which rows share a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from batch_nlp.errors import SettingsError

TokenIds = NDArray[np.int32]

# texts tokenized at a time: enough for all cores, few enough that what the tokenizer returns takes little memory
_CHUNK = 1000
# batches whose rows are sorted by length together
_POOL = 50


class TokenReader:
    """Cuts texts into tokens and keeps the head and the tail of those that are too long.

    What a writer thinks stands more often at the ends of a text than in its middle (Sun et al., 2019, *How to
    Fine-Tune BERT for Text Classification?*).

    Parameters
    ----------
    tokenizer : str
        Content of a ``tokenizer.json``.
    max_tokens : int
        Tokens of a text that are kept, with those that the model adds.
    head_share : float
        Share of the text's own tokens that is taken from its start; the rest comes from its end.

    Raises
    ------
    SettingsError
        If no token of the text is left beside those that the model adds.
    """

    def __init__(self, tokenizer: str, max_tokens: int, head_share: float) -> None:
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._before, self._after = _added_tokens(self._tokenizer)
        own = max_tokens - self._before - self._after
        if own < 1:
            raise SettingsError(
                f"model.params.max_tokens={max_tokens}: need at least {max_tokens - own + 1}; the model adds "
                f"{max_tokens - own} tokens to each text."
            )
        self._head = self._before + round(own * head_share)
        self._tail = self._after + own - round(own * head_share)

    def read(self, texts: Sequence[str]) -> list[TokenIds]:
        """Return the ids of each text's tokens, at most `max_tokens` of them.

        Lone surrogates, which no tokenizer accepts, are replaced.
        """
        ids: list[TokenIds] = []
        for start in range(0, len(texts), _CHUNK):
            chunk = [_without_surrogates(text) for text in texts[start : start + _CHUNK]]
            ids += [self._cut(np.array(one.ids, np.int32)) for one in self._tokenizer.encode_batch_fast(chunk)]
        return ids

    def _cut(self, ids: TokenIds) -> TokenIds:
        if len(ids) <= self._head + self._tail:
            return ids
        return np.concatenate([ids[: self._head], ids[len(ids) - self._tail :]])


def _added_tokens(tokenizer: Tokenizer) -> tuple[int, int]:
    """Return how many tokens the model adds before and after those of a text."""
    own = tokenizer.encode("a", add_special_tokens=False).ids
    ids = tokenizer.encode("a").ids
    before = next(start for start in range(len(ids)) if ids[start : start + len(own)] == own)
    return before, len(ids) - before - len(own)


def _without_surrogates(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def order_of_epoch(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order in which an epoch goes through the rows: random, with rows of like length in one batch.

    It depends on nothing but the arguments, so that a resumed fit goes on with the order that the killed one had.

    Parameters
    ----------
    lengths : sequence of int, shape (n,)
        Tokens of each row.
    batch_size : int
        Rows in a batch; the last batch takes what is left.
    seed, epoch : int
        Each pair gives another order.

    Returns
    -------
    ndarray of int64, shape (n,)
        Positions of the rows.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    # few rows are sorted in several pools too, or every epoch would have the same batches
    pool = batch_size * min(max(len(order) // (4 * batch_size), 1), _POOL)
    sizes = np.asarray(lengths)
    pools = [order[start : start + pool] for start in range(0, len(order), pool)]
    order = np.concatenate([part[np.argsort(-sizes[part], kind="stable")] for part in pools])
    whole = len(order) // batch_size
    batches = order[: whole * batch_size].reshape(whole, batch_size)
    return np.concatenate([batches[rng.permutation(whole)].ravel(), order[whole * batch_size :]])
