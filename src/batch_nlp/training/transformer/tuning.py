"""Fine-tuning with Hugging Face's Trainer, made reproducible, resumable and quiet. Needs torch and transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from loguru import logger
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Sampler
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from batch_nlp.metrics.confusion import ClassCounts, confusion_matrix
from batch_nlp.progress import no_progress, progress
from batch_nlp.training.transformer.checkpoints import complete, keep, newest_complete
from batch_nlp.training.transformer.network import pad
from batch_nlp.training.transformer.tokens import TokenIds, order_of_epoch

if TYPE_CHECKING:
    from batch_nlp.training.transformer.estimator import FineTunedTransformer

_METRIC = "f1_macro"


@dataclass(frozen=True)
class Rows:
    """Messages with labels and weights; a torch dataset."""

    tokens: Sequence[TokenIds]
    labels: NDArray[np.int64]
    # Weight of each message in the loss
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, position: int) -> tuple[TokenIds, int, float]:
        return self.tokens[position], int(self.labels[position]), float(self.weights[position])


def fine_tune(
    network: Any, train: Rows, validation: Rows, params: FineTunedTransformer, device: str, folder: Path
) -> None:
    """Train a network in place; it ends with the weights of the best macro F1 on the validation rows.

    A fit resumes from the newest complete checkpoint in `folder`.
    """
    steps = -(-len(train) // params.batch_size)
    total = int(np.ceil(steps * params.epochs))
    every = max(1, round(steps / params.evaluations_per_epoch))
    on_gpu = device == "cuda"
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=total,
        per_device_train_batch_size=params.batch_size,
        per_device_eval_batch_size=2 * params.batch_size,
        learning_rate=params.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=int(total * params.warmup_share),
        weight_decay=params.weight_decay,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_only_model=params.checkpoint_dir is None,  # else a checkpoint has all that resuming needs
        load_best_model_at_end=True,
        metric_for_best_model=_METRIC,
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        seed=params.random_state,
        remove_unused_columns=False,
        label_names=["labels"],
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        log_level="error",
    )
    # several GPUs would split the rows into other batches
    arguments._n_gpu = min(arguments.n_gpu, 1)
    by_length = _sorted_by_length(validation)
    with progress("fine-tuning", "steps", total) if params.progress else nullcontext(no_progress) as advance:
        trainer = _Trainer(
            network,
            arguments,
            data_collator=lambda rows: _collate(rows, network.config.pad_token_id),
            train_dataset=train,
            eval_dataset=by_length,
            compute_metrics=_macro_f1,
            callbacks=[_EarlyStopping(params.patience), _Checkpoints(folder), _Reports(advance)],
        )
        # this callback prints to standard output
        trainer.remove_callback(PrinterCallback)
        newest = newest_complete(folder)
        if newest:
            logger.info("Transformer: resuming from {}", newest)
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    logger.info(
        "Transformer: best macro F1 {:.4f}, at step {}", trainer.state.best_metric, trainer.state.best_global_step
    )


def _sorted_by_length(rows: Rows) -> Rows:
    order = np.argsort([-len(tokens) for tokens in rows.tokens], kind="stable")
    return Rows([rows.tokens[position] for position in order], rows.labels[order], rows.weights[order])


def _collate(rows: Sequence[tuple[TokenIds, int, float]], padding: int) -> dict[str, torch.Tensor]:
    tokens, labels, weights = zip(*rows, strict=True)
    return {
        **pad(tokens, padding),
        "labels": torch.tensor(labels),
        "weights": torch.tensor(weights, dtype=torch.float32),
    }


def _macro_f1(found: Any) -> dict[str, float]:
    predicted = found.predictions.argmax(axis=-1)
    confusion = confusion_matrix(found.label_ids, predicted, found.predictions.shape[-1])
    return {_METRIC: float(ClassCounts.of(confusion).mean_f1(_METRIC))}


class _OrderOfEpoch(Sampler):
    """Order of the rows, from the seed and the epoch alone.

    Trainer's own sampler draws the order from the global generator, so a fit that resumes within an epoch would
    continue with other rows.
    """

    def __init__(self, rows: Rows, batch_size: int, seed: int) -> None:
        self._lengths = [len(tokens) for tokens in rows.tokens]
        self._batch_size, self._seed, self._epoch = batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; accelerate's data loader calls this."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(order_of_epoch(self._lengths, self._batch_size, self._seed, self._epoch).tolist())


class _Trainer(Trainer):
    """Trainer with weighted rows, in the order of `_OrderOfEpoch`."""

    def get_train_dataloader(self) -> Any:
        sampler = _OrderOfEpoch(self.train_dataset, self.args.train_batch_size, self.args.seed)
        return self.accelerator.prepare(
            DataLoader(
                self.train_dataset,
                batch_size=self.args.train_batch_size,
                sampler=sampler,
                collate_fn=self.data_collator,
                pin_memory=self.args.dataloader_pin_memory,
            )
        )

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: object = None,
    ) -> Any:
        tokens = {name: tensor for name, tensor in inputs.items() if name not in ("labels", "weights")}
        outputs = model(**tokens)
        losses = torch.nn.functional.cross_entropy(outputs.logits.float(), inputs["labels"], reduction="none")
        loss = (losses * inputs["weights"]).mean()
        return (loss, {"loss": loss, "logits": outputs.logits}) if return_outputs else loss


class _EarlyStopping(EarlyStoppingCallback):
    """Early stopping that also stops a fit that was killed between its last checkpoint and its end.

    Such a fit takes one extra step, which is lost when the best weights are loaded.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        super().on_train_begin(args, state, control, **kwargs)
        control.should_training_stop = self.early_stopping_patience_counter >= self.early_stopping_patience


class _Checkpoints(TrainerCallback):
    """Marks each checkpoint as complete, then removes those that are no longer needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        complete(self._folder / f"checkpoint-{state.global_step}")
        keep(self._folder, Path(state.best_model_checkpoint) if state.best_model_checkpoint else None)


class _Reports(TrainerCallback):
    """Shows progress, and logs each evaluation."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._advance(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._advance(1)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, float], **kwargs: Any) -> None:
        logger.info(
            "Transformer: step {:,} of {:,}, validation loss {:.4f}, macro F1 {:.4f}",
            state.global_step,
            state.max_steps,
            metrics["eval_loss"],
            metrics[f"eval_{_METRIC}"],
        )
