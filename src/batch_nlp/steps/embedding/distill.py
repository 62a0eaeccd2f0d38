"""A table of static token vectors, distilled from MiniLM.

The recipe is model2vec's (Minish Lab, 2024): the model encodes every token of the vocabulary alone, a principal
component analysis decorrelates and shortens the vectors, and weights reduce the influence of frequent tokens. The
weight is the smooth inverse frequency of Arora et al. 2017; frequencies follow Zipf's law from a token's rank, since
BERT's vocabulary is ordered by frequency.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from loguru import logger
from numpy.typing import NDArray
from tokenizers import Tokenizer

from batch_nlp.progress import progress
from batch_nlp.steps.embedding.embedder import FloatMatrix
from batch_nlp.steps.embedding.minilm import MiniLM

# Part of the fingerprint; raise it with every change of the table's content
RECIPE = 1
SIF = 1e-3
_BATCH_TOKENS = 512


def meaningful_tokens(tokenizer: Tokenizer) -> list[int]:
    """Return the ids of all tokens that occur in texts, which excludes [CLS], [UNK], [unused7] and the like."""
    return sorted(
        index
        for token, index in tokenizer.get_vocab().items()
        if not (len(token) > 2 and token.startswith("[") and token.endswith("]"))
    )


def distill(model: MiniLM, dims: int, token_ids: Sequence[int] | None = None) -> FloatMatrix:
    """Distil a table of token vectors, shape (size of the vocabulary, dims).

    The tokens that get a vector, most frequent first, are all meaningful tokens by default. Rows of the others are
    zero, so that they add nothing to a text.
    """
    started = time.perf_counter()
    ids = np.array(meaningful_tokens(model.tokenizer) if token_ids is None else token_ids)
    logger.info("Distilling {:,} static token vectors from MiniLM, once per paths.data", len(ids))
    first, last = model.tokenizer.encode("").ids  # [CLS] and [SEP]
    batches = [
        [(first, int(token), last) for token in ids[start : start + _BATCH_TOKENS]]
        for start in range(0, len(ids), _BATCH_TOKENS)
    ]
    vectors: list[FloatMatrix] = []
    with progress("distilling", "batches of tokens", len(batches)) as advance:
        for found in model.passes(batches):
            vectors.append(found)
            advance(1)
    table = np.zeros((model.tokenizer.get_vocab_size(), dims), dtype=np.float32)
    table[ids] = principal_components(np.concatenate(vectors), dims) * sif_weights(len(ids))[:, np.newaxis]
    logger.info("Distilled {:,} static token vectors in {:.1f} s", len(ids), time.perf_counter() - started)
    return table


def principal_components(vectors: FloatMatrix, dims: int) -> NDArray[np.float64]:
    """Return the first principal components, shape (n, dims).

    They are computed in double precision, so that another processor's rounding does not rotate the axes. The largest
    entry of each axis is positive.
    """
    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :dims]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dims)])
    return np.asarray(centred @ axes)


def sif_weights(count: int) -> NDArray[np.float64]:
    """Return ``SIF / (SIF + p)`` for tokens in the order of frequency, with ``p`` proportional to 1 / rank."""
    frequencies = 1.0 / np.arange(2, count + 2)
    return np.asarray(SIF / (SIF + frequencies / frequencies.sum()))
