"""The input of the simulated systems: the history, one batch per day, and the labels of earlier batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import orjson

from batch_nlp.config import SampleConfig
from batch_nlp.dataset.classes import ClassMap
from batch_nlp.sample import deliver_labels, write_batch, write_history
from batch_nlp.sample.yelp.reviews import ID, LABEL
from batch_nlp.simulation.scenarios import Day

# Raw label of each class, for flipped labels
_LABELS = (1.0, 3.0, 5.0)


class Messages:
    """Writes files as they arrive, below `folder`; all policies see the same files.

    The labels of a batch arrive `delay` days after it.
    """

    def __init__(self, folder: Path, sample: SampleConfig, days: list[Day], delay: int, classes: ClassMap) -> None:
        self.raw, self.inbox = folder / "raw", folder / "inbox"
        self._pending = folder / "pending"
        self._sample, self._days, self._delay, self._classes = sample, days, delay, classes
        self.inbox.mkdir(parents=True)

    def begin(self) -> None:
        """Write the history."""
        write_history(self.raw, self._sample)

    def arrive(self, number: int) -> dict[str, int]:
        """Deliver the batch of a day (from 1) and the labels that are due; return the true class of each message."""
        truth = self._batch(number, self._days[number - 1])
        if (labelled := number - self._delay) >= 1:
            share = self._days[labelled - 1].flipped
            change = _flip(share, self._sample.seed, self._classes) if share else None
            deliver_labels(self._pending, self.raw, [labelled], change)
        return truth

    def _batch(self, number: int, day: Day) -> dict[str, int]:
        if day.messages is None:
            return {}
        if day.messages == 0:
            (self.inbox / f"yelp_academic_dataset_review_batch_{number:04d}.json").touch()
            return {}
        settings = replace(
            self._sample, batch_messages=day.messages, class_mix=list(day.mix), vocabulary=day.vocabulary
        )
        file = write_batch(self.inbox, self._pending, settings, number)
        truth = {}
        with (self._pending / file.name).open("rb") as lines:
            for row, label in filter(None, (_labelled(line, self._classes) for line in lines)):
                truth[str(row[ID])] = label
        return truth


def _labelled(line: bytes, classes: ClassMap) -> tuple[dict[str, object], int] | None:
    """Return the row in a line and the index of its class; None if it has no class, or is broken on purpose."""
    try:
        row: dict[str, object] = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    label = row.get(LABEL)
    index = classes.index(f"{label:g}") if isinstance(label, float) else -1
    return None if index < 0 else (row, index)


def _flip(share: float, seed: int, classes: ClassMap) -> Callable[[bytes], bytes]:
    """Return a function that changes the labels of a share of lines to another class.

    The hash of the message id decides, so that copies of a message get the same label.
    """

    def flipped(line: bytes) -> bytes:
        if (found := _labelled(line, classes)) is None:
            return line
        row, label = found
        drawn = int.from_bytes(blake2b(f"{seed}/{row[ID]}".encode(), digest_size=8).digest(), "little")
        if (drawn >> 1) / 2**63 >= share:
            return line
        others = [other for other in _LABELS if classes.index(f"{other:g}") != label]
        return orjson.dumps({**row, LABEL: others[drawn & 1]}, option=orjson.OPT_APPEND_NEWLINE)

    return flipped
