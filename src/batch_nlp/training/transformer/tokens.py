"""Texts as the model reads them: tokens (head and tail of long texts), and the order of rows in an epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from batch_nlp.errors import SettingsError

TokenIds = NDArray[np.int32]

# Texts tokenized at a time: enough for all cores, with little memory
_CHUNK = 1000
# Batches whose rows are sorted by length together
_POOL = 50


class TokenReader:
    """Splits texts into tokens; of long texts, only the head and the tail are kept.

    The start and the end of a text say more about the writer's opinion than its middle (Sun et al., 2019, *How to
    Fine-Tune BERT for Text Classification?*).

    Parameters
    ----------
    tokenizer : str
        Content of a ``tokenizer.json``.
    max_tokens, head_share
        As in `FineTunedTransformer`.

    Raises
    ------
    SettingsError
        If the tokens that the model adds leave no room for the text.
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
        """Return the token ids of each text, at most `max_tokens`.

        Lone surrogates, which tokenizers do not accept, are replaced.
        """
        ids: list[TokenIds] = []
        for start in range(0, len(texts), _CHUNK):
            chunk = [text.encode("utf-8", "replace").decode() for text in texts[start : start + _CHUNK]]
            ids += [self._cut(np.array(one.ids, np.int32)) for one in self._tokenizer.encode_batch_fast(chunk)]
        return ids

    def _cut(self, ids: TokenIds) -> TokenIds:
        if len(ids) <= self._head + self._tail:
            return ids
        return np.concatenate([ids[: self._head], ids[len(ids) - self._tail :]])


def _added_tokens(tokenizer: Tokenizer) -> tuple[int, int]:
    """Return the numbers of tokens that the model adds before and after a text."""
    own = tokenizer.encode("a", add_special_tokens=False).ids
    ids = tokenizer.encode("a").ids
    before = next(start for start in range(len(ids)) if ids[start : start + len(own)] == own)
    return before, len(ids) - before - len(own)


def order_of_epoch(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of the rows in an epoch: random, with rows of similar length in the same batch.

    The order depends on the arguments alone, so that a resumed fit continues in the order of the killed one. The last
    batch takes the remainder of the rows.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    # even few rows are sorted in several pools, because every epoch would have the same batches otherwise
    pool = batch_size * min(max(len(order) // (4 * batch_size), 1), _POOL)
    sizes = np.asarray(lengths)
    pools = [order[start : start + pool] for start in range(0, len(order), pool)]
    order = np.concatenate([part[np.argsort(-sizes[part], kind="stable")] for part in pools])
    whole = len(order) // batch_size
    batches = order[: whole * batch_size].reshape(whole, batch_size)
    return np.concatenate([batches[rng.permutation(whole)].ravel(), order[whole * batch_size :]])
