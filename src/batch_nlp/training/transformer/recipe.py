"""How a model is fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The parameters of `FineTunedTransformer` that the loop of the fine-tuning reads; see there for their meaning."""

    epochs: float
    learning_rate: float
    batch_size: int
    weight_decay: float
    warmup_share: float
    patience: int
    evaluations_per_epoch: int
    device: str
    seed: int
    progress: bool
