"""Static vectors: the vector of a text is the mean of its tokens' vectors, from a table."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from loguru import logger
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from batch_nlp.chunks import Chunks, Numbered
from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.distill import RECIPE, distill
from batch_nlp.steps.embedding.embedder import FloatMatrix, encode_unique, unit_length
from batch_nlp.steps.embedding.minilm import DIMS, MiniLM, load_tokenizer
from batch_nlp.steps.embedding.named_models import loading, split_revision
from batch_nlp.storage.atomic import replacing, write_bytes
from batch_nlp.storage.packaged_model import WEIGHTS_SHA256, packaged_folder

# Texts tokenized at a time: enough for all cores, with little memory
_CHUNK = 1000


class StaticEmbedder:
    """Mean of token vectors, of unit length.

    The vector of a text does not depend on the other texts, not even in its last bit: each row of the sparse product
    adds the vectors of its tokens in order.

    Parameters
    ----------
    tokenizer : Tokenizer
        Without padding.
    table : ndarray of float32, shape (size of the vocabulary, dims)
        Weighted vector of each token; zeros for tokens that do not count.
    """

    def __init__(self, tokenizer: Tokenizer, table: FloatMatrix) -> None:
        self.dims = table.shape[1]
        self._tokenizer = tokenizer
        self._table = table
        # texts that are tokenized in chunks are truncated here, whole texts by the tokenizer
        self._max_tokens = tokenizer.truncation["max_length"] if tokenizer.truncation else None
        self._chunks = Chunks(self._tokenize) if _cuts_at_spaces(tokenizer) else None

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return vectors of unit length, shape (n, dims); zeros for a text without a known token."""
        return encode_unique(texts, self.dims, self._encode)

    def _encode(self, texts: list[str]) -> FloatMatrix:
        chunks = [self._sum_of_tokens(texts[start : start + _CHUNK]) for start in range(0, len(texts), _CHUNK)]
        # the mean has the direction of the sum
        return unit_length(np.concatenate(chunks))

    def _sum_of_tokens(self, texts: list[str]) -> FloatMatrix:
        tokens, ends = self._tokens(texts)
        bounds = np.concatenate(([0], ends)).astype(np.int32)
        from scipy.sparse import csr_array  # late: runs that embed nothing only need the fingerprint

        counts = csr_array((np.ones(len(tokens), np.float32), tokens, bounds), shape=(len(texts), len(self._table)))
        return np.asarray(counts @ self._table)

    def _tokens(self, texts: list[str]) -> Numbered:
        """Return the tokens of each text, up to the limit."""
        if self._chunks is None:
            found = self._tokenize(texts)
            return Numbered(np.fromiter(chain.from_iterable(found), np.int32), np.cumsum([len(ids) for ids in found]))
        tokens, ends = self._chunks(texts)
        # the tokenizer saw chunks, so texts are truncated here
        starts = np.concatenate(([0], ends[:-1]))
        read = ends - starts if self._max_tokens is None else np.minimum(ends - starts, self._max_tokens)
        place = np.arange(len(tokens)) - np.repeat(starts, ends - starts)
        return Numbered(tokens[place < np.repeat(read, ends - starts)], np.cumsum(read))

    def _tokenize(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def _cuts_at_spaces(tokenizer: Tokenizer) -> bool:
    """Return whether a text can be tokenized chunk by chunk between spaces, as with BERT's tokenizers."""
    parts = (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.model)
    kinds = (BertNormalizer, BertPreTokenizer, WordPiece)
    added = tokenizer.get_added_tokens_decoder().values()
    return all(isinstance(part, kind) for part, kind in zip(parts, kinds, strict=True)) and not any(
        " " in token.content or token.lstrip or token.rstrip for token in added
    )


def table_name(dims: int) -> str:
    """Return the name of the distilled table, which identifies its content."""
    return f"static-{WEIGHTS_SHA256[:16]}-recipe{RECIPE}-dims{dims}"


def load_distilled(cache_dir: Path, dims: int, max_tokens: int, threads: int = 0) -> StaticEmbedder:
    """Return the embedder with the table distilled from MiniLM; the table is distilled into `cache_dir` at first use.

    Raises a `SettingsError` if ``dims`` is out of range.
    """
    if not 1 <= dims <= DIMS:
        raise SettingsError(f"features.embedding.dims={dims}: static vectors distilled from MiniLM have 1 to {DIMS}.")
    table = cached_table(cache_dir / f"{table_name(dims)}.safetensors", lambda: distill(MiniLM(threads=threads), dims))
    tokenizer = load_tokenizer(packaged_folder(), max_tokens)
    return StaticEmbedder(tokenizer, table)


def cached_table(path: Path, make: Callable[[], FloatMatrix]) -> FloatMatrix:
    """Read a table from its file; if the file is missing or damaged, make the table and write the file."""
    if path.exists():
        try:
            return _read_table(path)
        except (OSError, SafetensorError, ValueError) as error:
            logger.warning("{} is damaged ({}); making it again", path, error)
    table = make()
    write_bytes(path, save({"table": table}, metadata={"sha256": _checksum(table)}))
    return table


def _read_table(path: Path) -> FloatMatrix:
    with safe_open(path, framework="np") as file:
        table: FloatMatrix = file.get_tensor("table")
        expected = (file.metadata() or {}).get("sha256")
    if _checksum(table) != expected:
        raise ValueError("its checksum does not match")
    return table


def _checksum(table: FloatMatrix) -> str:
    return hashlib.sha256(table.tobytes()).hexdigest()


def take_tables(theirs: Path, ours: Path) -> None:
    """Copy the tables that one folder lacks from another, since distilling them takes up to a minute.

    Copied tables are checked when they are read, and distilled again if damaged. Neither folder needs to exist.
    """
    for table in theirs.glob("[!.]*.safetensors"):
        if (ours / table.name).exists():
            continue
        try:
            with replacing(ours / table.name) as temporary:
                shutil.copyfile(table, temporary)
        except PermissionError as error:  # the table belongs to another user; it is distilled instead
            logger.debug("{} is not copied: {}", table, error)


def load_pretrained(model: str, dims: int, max_tokens: int) -> StaticEmbedder:
    """Load a static model with model2vec, to encode with it as with the packaged one.

    Vectors longer than `dims` are truncated, as model2vec does (its dimensions are ordered by importance). Raises a
    `SettingsError` if the model cannot be loaded.
    """
    from huggingface_hub import snapshot_download
    from model2vec import StaticModel

    with loading(model):
        name, revision = split_revision(model)
        source = snapshot_download(name, revision=revision) if revision else name
        static = StaticModel.from_pretrained(source, force_download=False)
    tokens = static.tokenizer.get_vocab_size()
    rows = np.arange(tokens) if static.token_mapping is None else static.token_mapping
    table: NDArray[np.float32] = static.embedding[rows].astype(np.float32)
    if static.weights is not None:
        table *= static.weights.astype(np.float32)[:, np.newaxis]
    if static.unk_token_id is not None:
        table[static.unk_token_id] = 0.0
    if table.shape[1] < dims:
        logger.warning("{} has {} dimensions; dims={} has no effect", model, table.shape[1], dims)
    static.tokenizer.no_padding()
    static.tokenizer.enable_truncation(max_tokens)
    return StaticEmbedder(static.tokenizer, np.ascontiguousarray(table[:, :dims]))
