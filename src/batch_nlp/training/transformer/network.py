"""The network: loaded from a pretrained model, saved as bytes, rebuilt from them, and applied. Needs torch."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from huggingface_hub.errors import HfHubHTTPError
from loguru import logger
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.named_models import split_revision
from batch_nlp.storage.packaged_model import packaged_folder, verify_weights
from batch_nlp.training.transformer.tokens import TokenIds


@contextmanager
def undisturbed(seed: int, threads: int) -> Iterator[None]:
    """Seed all random generators and limit torch's threads; the former state is restored afterwards.

    The generators are those of Python, NumPy and torch, including the GPU's. 0 leaves the number of threads to torch.
    """
    # transformers draws from NumPy's global generator, so that one must be seeded
    of_python, of_numpy, of_torch = random.getstate(), np.random.get_state(), torch.get_num_threads()  # noqa: NPY002
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    with torch.random.fork_rng():
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 as said
        torch.manual_seed(seed)
        torch.set_num_threads(threads or of_torch)
        try:
            yield
        finally:
            torch.set_num_threads(of_torch)
            np.random.set_state(of_numpy)  # noqa: NPY002 as said
            random.setstate(of_python)
            transformers_logging.set_verbosity(verbosity)
            if bars:
                transformers_logging.enable_progress_bar()


def find_device(device: str | None) -> str:
    """Return ``cpu`` or ``cuda`` as given; for None, ``cuda`` if there is a GPU."""
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("model.params.device=cuda: torch finds no GPU. Set model.params.device=null.")
    return device or ("cuda" if torch.cuda.is_available() else "cpu")


def load_network(model: str | None, classes: int, max_tokens: int) -> tuple[Any, str]:
    """Return a pretrained network with a new head for a number of classes, and its tokenizer as JSON.

    Raises
    ------
    SettingsError
        If the model cannot be loaded, reads fewer tokens than `max_tokens`, or has no fast tokenizer.
    DataError
        If the packaged weights are missing or damaged.
    """
    name, revision = _source(model)
    local = Path(name).is_dir()
    logger.info("Transformer: starting from {}", model or "the packaged all-MiniLM-L6-v2")
    try:
        # a model must not bring code: neither Python files nor pickled weights
        tokenizer = AutoTokenizer.from_pretrained(
            name, revision=revision, local_files_only=local, trust_remote_code=False
        )
        network = AutoModelForSequenceClassification.from_pretrained(
            name,
            revision=revision,
            local_files_only=local,
            trust_remote_code=False,
            use_safetensors=True,
            num_labels=classes,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # a head for other classes is dropped
        )
    except (OSError, ValueError, HfHubHTTPError, SafetensorError) as error:
        raise SettingsError(
            f"model.params.model={model}: cannot be loaded ({error}). Set the name of a model on the Hugging Face hub "
            "that this machine can reach or has in its cache, or the path of a local folder."
        ) from error
    if not tokenizer.is_fast:
        raise SettingsError(f"model.params.model={model}: has no fast tokenizer. Choose a model with a tokenizer.json.")
    limit = min(getattr(network.config, "max_position_embeddings", max_tokens), tokenizer.model_max_length)
    if max_tokens > limit:
        raise SettingsError(f"model.params.max_tokens={max_tokens}: the model reads at most {limit}.")
    if tokenizer.pad_token_id is not None:
        network.config.pad_token_id = tokenizer.pad_token_id
    elif network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.eos_token_id or 0
    return network, tokenizer.backend_tokenizer.to_str()


def _source(model: str | None) -> tuple[str, str | None]:
    if model is None:
        verify_weights(packaged_folder() / "model.safetensors")
        return str(packaged_folder()), None
    folder = Path(model).expanduser()
    return (str(folder), None) if folder.is_dir() else split_revision(model)


def config_text(network: Any) -> str:
    """Return a network's configuration as JSON, without the parts that depend on where it was loaded from."""
    left_out = ("_name_or_path", "architectures", "dtype")
    config = {name: value for name, value in network.config.to_dict().items() if name not in left_out}
    return json.dumps(config, sort_keys=True)


def weights_bytes(network: Any) -> NDArray[np.uint8]:
    """Return a network's weights as the bytes of a safetensors file.

    They are rounded to half precision, which halves the model file and changes the probabilities of MiniLM by about
    1e-4, unless a weight exceeds the range of half precision (65,504).
    """
    state = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    finite = all(bool(torch.isfinite(tensor).all()) for tensor in half.values())
    return np.frombuffer(safetensors.torch.save(half if finite else state), np.uint8)


def build_network(config: str, weights: NDArray[np.uint8], device: str) -> Any:
    """Rebuild the network from `config_text` and `weights_bytes`, ready to predict."""
    settings = AutoConfig.for_model(**json.loads(config))
    network = AutoModelForSequenceClassification.from_config(settings, dtype=torch.float32, trust_remote_code=False)
    network.load_state_dict(safetensors.torch.load(weights.tobytes()))
    return network.to(device).eval()


def pad(rows: Sequence[TokenIds], padding: int) -> dict[str, torch.Tensor]:
    """Return rows of tokens as the network's input, padded to the longest row."""
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), padding, np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for position, row in enumerate(rows):
        ids[position, : len(row)] = row
        mask[position, : len(row)] = 1
    return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}


def log_probabilities(network: Any, rows: Sequence[TokenIds], batch_size: int) -> NDArray[np.float64]:
    """Return the logarithms of the class probabilities, shape (n, k).

    Rows of similar length share a batch. The longest come first, so that memory peaks at the start.
    """
    order = np.argsort([-len(row) for row in rows], kind="stable")
    found = np.empty((len(rows), network.config.num_labels))
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            inputs = pad([rows[position] for position in batch], network.config.pad_token_id)
            logits = network(**{name: tensor.to(network.device) for name, tensor in inputs.items()}).logits
            found[batch] = torch.log_softmax(logits.double(), dim=-1).cpu().numpy()
    return found
