"""The step `embedding` of the feature pipeline."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from batch_nlp.config import EmbeddingBackend, EmbeddingConfig, parse
from batch_nlp.errors import DataError, examples
from batch_nlp.fields import Field, FieldRole
from batch_nlp.steps.base import StatelessStep
from batch_nlp.steps.embedding.cache import CachedEmbedder
from batch_nlp.steps.embedding.embedder import Embedder
from batch_nlp.steps.embedding.factory import EmbeddingParameters, create_embedder, fingerprint


@dataclass(eq=False, repr=False)
class Embedding(StatelessStep, EmbeddingParameters):
    """Add the vector of each message's text.

    The model is loaded at the first `transform`, and is not cloned with the step.

    Parameters
    ----------
    backend, model, dims, max_tokens, batch_size, device, cache_mb
        As in ``features.embedding``; ``cache_mb=0`` caches no vectors.
    cache_dir : str, path or None
        Folder of the distilled table and of cached vectors; None is ``batch_nlp`` in the user's cache folder.
    threads : int
        Threads of the model; 0 uses all cores.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"text": ["Great tacos!", "Never again."]})
    >>> embedded = Embedding(backend="minilm").fit_transform(frame)
    >>> embedded["embedding"].map(len).tolist()
    [384, 384]
    """

    cache_dir: str | Path | None = None
    threads: int = 0

    def fields(self) -> tuple[Field, ...]:
        """Return the vector's field; with the backend ``none``, the vector is empty."""
        return (Field("embedding", FieldRole.VECTOR),)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return a copy of the messages with `embedding`, an object column of one float32 array per row.

        Raises
        ------
        DataError
            If there is no column `text`, or it contains anything but strings.
        SettingsError
            If the model cannot be loaded with these settings.
        """
        if "text" not in X.columns:
            raise DataError(f"The step embedding needs the column 'text'. Columns: {', '.join(map(str, X.columns))}.")
        texts = X["text"].to_list()
        other = [row for row, text in zip(X.index, texts, strict=True) if not isinstance(text, str)]
        if other:
            raise DataError(
                f"Column 'text': {len(other):,} values are not strings, in rows {examples(other)}. "
                "Quarantine them before the step embedding."
            )
        # without texts, no model is loaded
        vectors = list(self._load().encode(texts)) if texts else []
        return X.assign(embedding=pd.Series(vectors, index=X.index, dtype=object))

    def _load(self) -> Embedder:
        given = {field.name: getattr(self, field.name) for field in fields(EmbeddingParameters)}
        settings, folder = parse(EmbeddingConfig, given, "features.embedding"), self._cache_folder()
        wanted = (settings, folder, self.threads)
        # loaded once, and again after a parameter has changed
        loaded: tuple[object, Embedder] | None = getattr(self, "_loaded", None)
        if loaded is None or loaded[0] != wanted:
            embedder = create_embedder(settings, folder, self.threads)
            if settings.cache_mb and settings.backend not in (EmbeddingBackend.static, EmbeddingBackend.none):
                embedder = CachedEmbedder(embedder, folder, fingerprint(settings), settings.cache_mb)
            loaded = self._loaded = (wanted, embedder)
        return loaded[1]

    def _cache_folder(self) -> Path:
        if self.cache_dir is not None:
            return Path(self.cache_dir)
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batch_nlp"
