"""A classifier that fine-tunes a transformer on texts, and can combine it with n-gram scores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from loguru import logger
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from batch_nlp.config.schema.section import Part, Positive, Share
from batch_nlp.fields import TEXT
from batch_nlp.steps.base import TakesTexts
from batch_nlp.training.parameters import check_values
from batch_nlp.training.transformer.checkpoints import fit_fingerprint, remove_all
from batch_nlp.training.transformer.checks import check_class_counts, require_extra
from batch_nlp.training.transformer.stack import fit_stack
from batch_nlp.training.transformer.tokens import TokenReader

AboveZero = Annotated[float, Field(gt=0)]

_SCORES = "ngram_score_"
# Parameters that do not affect the weights
_NO_MATTER = ("checkpoint_dir", "progress", "stack", "threads", "device")


@dataclass(eq=False, repr=False)
class FineTunedTransformer(TakesTexts, ClassifierMixin, BaseEstimator):
    """Fine-tune a sequence-classification model end to end with Hugging Face's Trainer.

    The newest rows are validation rows: they decide when to stop, and on them a logistic regression combines the
    transformer with the n-gram scores. The fitted state is arrays and text; the network is built from them at the first
    prediction.

    Parameters
    ----------
    model : str or None
        A local folder, or ``name`` or ``name@revision`` on the Hugging Face hub; None is the packaged
        all-MiniLM-L6-v2.
    epochs : float
        Largest number of passes over the training rows.
    learning_rate : float
        Highest learning rate of AdamW; it rises linearly over the warm-up and falls linearly to 0.
    batch_size : int
        Messages per step.
    max_tokens : int
        Largest number of tokens per message, including those that the model adds.
    head_share : float
        Share of a longer message's tokens taken from its start; the rest is taken from its end.
    weight_decay : float
        Weight decay of AdamW.
    warmup_share : float
        Share of all steps in which the learning rate rises.
    class_weight_power : float
        Power of the inverse class frequencies that weight messages in the loss, in addition to ``sample_weight``: 0 for
        none, 1 for balanced.
    validation_share : float
        Share of the rows, the newest ones, kept for validation.
    patience : int
        Evaluations without a better macro F1 after which the fit stops.
    evaluations_per_epoch : int
        Evaluations per epoch, each with a checkpoint.
    stack : bool
        Whether a logistic regression on the validation rows combines the transformer with the columns
        ``ngram_score_*``. Without such columns, it only adapts the transformer's probabilities.
    checkpoint_dir : str or None
        Parent of the folder with a fit's checkpoints, which is named by a fingerprint of the fit. A killed fit resumes
        from them when it is started again; `discard_checkpoints` removes them once the model is safe. None keeps none.
    device : str or None
        ``cpu`` or ``cuda``; None uses a GPU if there is one. GPUs that support bfloat16 train in it.
    threads : int
        Threads of torch; 0 leaves the number to torch. Equal numbers give bit-identical weights.
    random_state : int
        Seed of the head's initial weights, the order of the rows, dropout and the folds of the stack.
    progress : bool

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
    weights_ : ndarray of uint8
        Content of a safetensors file with the network's weights, in half precision.
    model_config_ : str
        The network's configuration, JSON.
    tokenizer_ : str
        Content of a ``tokenizer.json``.
    score_columns_ : list of str
        The stacked columns, in order.
    stack_coef_ : ndarray of float64, shape (k, k + number of score columns)
    stack_intercept_ : ndarray of float64, shape (k,)
        Only with ``stack``.
    validation_rows_ : ndarray of int64, shape (n_validation,)
        Positions of the validation rows among the fitted rows.
    validation_probabilities_ : ndarray of float64, shape (n_validation, k)
        Probabilities of the validation rows; with ``stack``, out-of-fold.
    """

    model: str | None = None
    epochs: AboveZero = 2
    learning_rate: AboveZero = 2e-4
    batch_size: Positive = 32
    max_tokens: int = 128
    head_share: Share = 0.5
    weight_decay: float = 0.01
    warmup_share: Share = 0.1
    class_weight_power: float = 0.0
    validation_share: Part = 0.1
    patience: Positive = 4
    evaluations_per_epoch: Positive = 2
    stack: bool = True
    checkpoint_dir: str | None = None
    device: Literal["cpu", "cuda"] | None = None
    threads: int = 0
    random_state: int = 0
    progress: bool = True

    def fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fine-tune on rows with a column ``text``, oldest first; `sample_weight` is their weight in the loss.

        Raises
        ------
        SettingsError
            If the extra is missing, the model cannot be loaded, or a parameter is out of its range.
        DataError
            If a class is missing among the training rows or the validation rows.
        """
        check_values(type(self), self.get_params())
        require_extra()
        from batch_nlp.training.transformer import network as networks

        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)
        cut = len(labels) - round(len(labels) * self.validation_share)
        check_class_counts(self.classes_, labels, cut)
        self._network: Any = None
        with networks.undisturbed(self.random_state, self.threads):
            network, self.tokenizer_ = networks.load_network(self.model, len(self.classes_), self.max_tokens)
            self._fine_tune(network, X[TEXT], labels, self._row_weights(labels, cut, sample_weight), cut)
            self.model_config_ = networks.config_text(network)
            self.weights_ = networks.weights_bytes(network)
        self.score_columns_ = [str(name) for name in X.columns if str(name).startswith(_SCORES)]
        self.validation_rows_ = np.arange(cut, len(labels))
        features = self._features(X.iloc[cut:])
        if self.stack:
            fitted = fit_stack(features, labels[cut:], self.random_state)
            self.stack_coef_, self.stack_intercept_, self.validation_probabilities_ = fitted
        else:
            self.validation_probabilities_ = np.exp(features[:, : len(self.classes_)])
        return self

    def _fine_tune(self, network: Any, texts: pd.Series[str], labels: Any, weights: Any, cut: int) -> None:
        from batch_nlp.training.transformer.network import find_device
        from batch_nlp.training.transformer.tuning import Rows, fine_tune

        tokens = TokenReader(self.tokenizer_, self.max_tokens, self.head_share).read(texts.tolist())
        device = find_device(self.device)
        logger.info("Transformer: on {}, {:,} training and {:,} validation messages", device, cut, len(labels) - cut)
        sides = (slice(cut), slice(cut, None))
        train, validation = (Rows(tokens[side], labels[side], weights[side]) for side in sides)
        with self._checkpoints(network, texts, labels, weights) as folder:
            fine_tune(network, train, validation, self, device, folder)

    @contextmanager
    def _checkpoints(self, network: Any, texts: pd.Series[str], labels: Any, weights: Any) -> Iterator[Path]:
        """Yield the folder for this fit's checkpoints."""
        if self.checkpoint_dir is None:
            with tempfile.TemporaryDirectory(prefix="batch-nlp-") as temporary:
                yield Path(temporary)
            return
        from batch_nlp.training.transformer.network import weights_bytes

        settings = {name: value for name, value in self.get_params().items() if name not in _NO_MATTER}
        settings["versions"] = {name: package_version(name) for name in ("torch", "transformers")}
        start = (self.tokenizer_.encode(), weights_bytes(network))
        folder = Path(self.checkpoint_dir) / fit_fingerprint(settings, texts, labels, weights, *start)
        folder.mkdir(parents=True, exist_ok=True)
        self._checkpoint_folder = folder
        yield folder

    check_installed = staticmethod(require_extra)

    def discard_checkpoints(self) -> None:
        """Remove the checkpoints of the last fit; without them, another fit starts from the beginning."""
        folder: Path | None = self.__dict__.pop("_checkpoint_folder", None)
        if folder is not None:
            remove_all(folder)

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, k), of rows with the same columns as in `fit`.

        The probabilities of a message do not depend on the other messages, except for rounding (1e-5).
        """
        check_is_fitted(self)
        features = self._features(X)
        if self.stack:
            return np.asarray(softmax(features @ self.stack_coef_.T + self.stack_intercept_, axis=1))
        return np.asarray(np.exp(features[:, : len(self.classes_)]))

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the most probable class of each row, shape (n,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def _features(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the input of the stack: logarithms of the transformer's probabilities, then the n-gram scores."""
        require_extra()
        from batch_nlp.training.transformer import network as networks

        tokens = TokenReader(self.tokenizer_, self.max_tokens, self.head_share).read(X[TEXT].tolist())
        with networks.undisturbed(self.random_state, self.threads):
            if self.__dict__.get("_network") is None:
                # a model trained on a GPU also predicts without one
                device = networks.find_device("cpu" if self.device == "cpu" else None)
                self._network = networks.build_network(self.model_config_, self.weights_, device)
            own = networks.log_probabilities(self._network, tokens, 2 * self.batch_size)
        return np.hstack([own, X[self.score_columns_].to_numpy(np.float64)])

    def _row_weights(self, labels: NDArray[np.int64], cut: int, given: ArrayLike | None) -> NDArray[np.float64]:
        """Return the weight of each row in the loss; the mean over the training rows is 1."""
        inverse = cut / (len(self.classes_) * np.bincount(labels[:cut]))
        weights = inverse[labels] ** self.class_weight_power
        if given is not None:
            weights = weights * np.asarray(given, np.float64)
        return np.asarray(weights / weights[:cut].mean())

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = self.__dict__.copy()
        state.pop("_network", None)  # rebuilt from the weights when needed
        state.pop("_checkpoint_folder", None)
        # equal models must have equal files, wherever they were trained
        return state | {"checkpoint_dir": None}
