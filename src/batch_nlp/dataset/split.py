"""Split labelled messages into training messages and the hold-out.

Equal texts are never on both sides, since memorised texts measure nothing. Machine labels are held out only if there
are no others, since they would measure the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from loguru import logger
from numpy.typing import NDArray

from batch_nlp.config import Config, Role, Split, TrainingConfig
from batch_nlp.errors import DataError, SettingsError

# Label sources that may be held out
TRUSTED = ("given", "person")
# Share of messages with equal times at the edge of the hold-out from which a moved edge is logged
_TOLD = 0.01
_Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """How labelled messages were split.

    Parameters
    ----------
    train, hold_out : Index
        Index of the messages on each side, in order.
    copies : int
        Messages left out because their text is on the other side.
    repeats : int
        Messages with a class that repeat an earlier text.
    outside_train, outside_hold_out : Index
        Index of the out-of-scope messages on each side; they are not in `train` and `hold_out`.
    """

    by: Split
    train: pd.Index[int]
    hold_out: pd.Index[int]
    copies: int
    repeats: int
    outside_train: pd.Index[int] = field(default_factory=lambda: pd.Index([], dtype=np.int64))
    outside_hold_out: pd.Index[int] = field(default_factory=lambda: pd.Index([], dtype=np.int64))

    def to_dict(self) -> dict[str, object]:
        """Return the manifest's entry about the split."""
        return {"by": self.by.value, "left_out_copies": self.copies, "repeated_texts": self.repeats}

    def apart(self, outside: pd.Series[bool]) -> Parts:
        """Return the same split with the out-of-scope messages, True in `outside`, beside the others."""
        train, hold_out = (outside[side].to_numpy() for side in (self.train, self.hold_out))
        return replace(
            self,
            train=self.train[~train],
            hold_out=self.hold_out[~hold_out],
            outside_train=self.train[train],
            outside_hold_out=self.hold_out[hold_out],
        )


def split_of(config: Config) -> Split:
    """Return how the hold-out is chosen: by ``training.split``, the dataset's setting, or by time if there is one.

    Raises a `SettingsError` if a split by time is set, but no column has the role time.
    """
    timed = any(column.role is Role.time for column in config.dataset.messages.columns.values())
    chosen = config.training.split or config.dataset.split.by
    if chosen is Split.time and not timed:
        key = "training.split" if config.training.split else "dataset.split.by"
        raise SettingsError(
            f"{key}=time: no column of dataset.messages.columns has the role time. Give a column that role, or set "
            "training.split=random."
        )
    by = chosen or (Split.time if timed else Split.random)
    if config.training.window and by is not Split.time:
        raise SettingsError(
            f"training.window={config.training.window}: a {by.value} split has no windows. Set training.split=time."
        )
    return by


def split_messages(
    messages: pd.DataFrame, labels: pd.Series[int], by: Split, training: TrainingConfig, seed: int
) -> Parts:
    """Split the messages that have a class.

    By time, the newest share is held out, without messages that repeat an older text. At random, a stratified sample of
    texts is held out; by group, a sample of groups (messages with the same ``group`` or equal texts).

    Parameters
    ----------
    messages : DataFrame, shape (n, ...)
        Rows of the feature store, ordered by `written_at`.
    labels : Series of int, shape (n,)
        Class indices; messages with -1 are on neither side.

    Raises
    ------
    DataError
        If one side is empty, or the times do not tell which messages are the newest.
    """
    index = messages.index[(labels >= 0).to_numpy()]
    texts = codes(messages.loc[index, "text_hash"])
    trusted = np.ones(len(index), bool)
    if "label_source" in messages:
        given = messages.loc[index, "label_source"]
        people = (given.isna() | given.isin(TRUSTED)).to_numpy()
        trusted = people if people.any() else trusted
    if by is Split.time:
        hold_out, train = _newest(messages.loc[index, "written_at"], trusted, training)
        hold_out, before = hold_out & ~np.isin(texts, texts[train & trusted]), hold_out
        copies = int((before & ~hold_out).sum())
        groups = texts
    else:
        groups = texts if by is Split.random else components(texts, codes(messages.loc[index, "group"]))
        classes = np.asarray(labels[index], dtype=np.int64)
        hold_out = trusted & np.isin(groups, draw(groups[trusted], classes[trusted], training.holdout, seed))
        train, copies = ~hold_out, 0
    # machine-labelled copies of held-out texts
    measured = train & np.isin(groups, groups[hold_out])
    train &= ~measured
    _check_sides(by, hold_out[trusted], train, groups, training.holdout)
    repeats = len(index) - len(np.unique(texts))
    return Parts(by, index[train], index[hold_out], copies + int(measured.sum()), repeats)


def _check_sides(by: Split, hold_out: _Bools, train: _Bools, groups: Codes, holdout: float) -> None:
    """Raise an error if a side is (nearly) empty; warn if the hold-out differs much from the setting.

    `hold_out` is about the messages that may be held out; messages with equal numbers in `groups` are on one side.
    """
    share = float(hold_out.mean()) if len(hold_out) else 0.0
    largest = np.bincount(groups).max(initial=0) / max(len(groups), 1)
    what = (
        f"{by.value} split: {share:.1%} of {len(hold_out):,} labelled messages are held out instead of "
        f"training.holdout={holdout:g}, since equal texts{' and groups' * (by is Split.group)} stay on one side; the "
        f"largest group has {largest:.0%} of the messages"
    )
    if not share or not train.any() or (by is Split.group and share < holdout / 2):
        instead = "" if by is Split.random else "Set training.split=random, or add"
        raise DataError(f"{what}. {instead or 'Add'} messages with other texts.")
    if abs(share - holdout) > holdout / 2:
        logger.warning("Training: {}", what)


def _newest(written_at: pd.Series[pd.Timestamp], trusted: _Bools, training: TrainingConfig) -> tuple[_Bools, _Bools]:
    """Return which messages are held out as the newest, and which are trained on."""
    every = written_at.to_numpy("datetime64[us]")
    dated = trusted & ~np.isnat(every)
    total = int(trusted.sum())
    if total - dated.sum() > training.max_equal_times * total:
        raise DataError(
            f"{(total - dated.sum()) / total:.0%} of {total:,} labelled messages have no time, so the newest are "
            "unknown. Set training.split=random."
        )
    rows = np.flatnonzero(dated)
    rows = rows[np.argsort(every[rows], kind="stable")]
    times = every[rows]
    size = round(training.holdout * len(rows))
    end = len(rows) - training.window * size
    if end <= size:
        raise DataError(
            f"training.window={training.window}: no messages to train on are left before the held-out window "
            f"(training.holdout={training.holdout}, {len(rows):,} labelled messages). Lower one of the two settings."
        )
    start, stop = (_edge(times, place, training) for place in (end - size, end))
    if not 0.5 * size <= stop - start <= 1.5 * size:
        raise DataError(
            f"{(stop - start) / len(rows):.0%} of {len(rows):,} labelled messages would be held out instead of "
            f"training.holdout={training.holdout:g}, since many have the same time. Set training.split=random."
        )
    hold_out = np.zeros(len(every), bool)
    hold_out[rows[start:stop]] = True
    later = every >= times[stop] if stop < len(rows) else ~hold_out & False
    return hold_out, ~hold_out & ~later


def _edge(times: NDArray[np.datetime64], place: int, training: TrainingConfig) -> int:
    """Return the end of a run of equal times that is nearer to a position in it."""
    if place in (0, len(times)) or times[place - 1] != times[place]:
        return place
    first, last = (int(np.searchsorted(times, times[place], side)) for side in ("left", "right"))
    share = (last - first) / len(times)
    what = (
        f"{share:.0%} of {len(times):,} labelled messages were written at {pd.Timestamp(times[place]):%Y-%m-%d %H:%M}"
    )
    if share > training.max_equal_times:
        raise DataError(
            f"{what}, at the edge of the hold-out, so the newest are unknown. Set training.split=random, or raise "
            "training.max_equal_times."
        )
    if share >= _TOLD:
        logger.warning("Training: {}, at the edge of the hold-out; they stay on one side of it", what)
    return first if place - first <= last - place else last


def rows_at(messages: pd.DataFrame, index: pd.Index[int]) -> pd.DataFrame:
    """Return the rows of a part; contiguous rows are not copied."""
    if len(index):
        start = messages.index.get_indexer(index[:1])[0]
        if messages.index[start : start + len(index)].equals(index):
            return messages.iloc[start : start + len(index)]
    return messages.loc[index]


def codes(values: pd.Series[str]) -> Codes:
    """Number the distinct values; each missing value gets its own number."""
    found, different = pd.factorize(values)
    missing = found < 0
    found[missing] = len(different) + np.arange(missing.sum())
    return found.astype(np.int64)


def components(texts: Codes, groups: Codes) -> Codes:
    """Number the connected components of messages that share a group or a text."""
    # imported late: the check of the settings imports this module
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = int(texts.max(initial=-1) + groups.max(initial=-1)) + 2
    edges = coo_matrix((np.ones(len(texts), bool), (texts, texts.max(initial=-1) + 1 + groups)), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1][texts], dtype=np.int64)


def draw(groups: Codes, classes: Codes, holdout: float, seed: int) -> Codes:
    """Sample groups that contain about the share `holdout` of the messages of each class.

    Groups come in random order. A group is taken if it still fits into the share of its first message's class. If too
    few fit, the smallest groups are added until the share is reached.
    """
    names, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    kinds = classes[first]
    of_kind = np.bincount(kinds, weights=sizes)
    # rounded cumulatively, so that many small classes do not change the total share
    wanted = np.diff(np.rint(holdout * np.cumsum(of_kind)), prepend=0)
    wanted = np.where(of_kind > 0, np.maximum(wanted, 1), 0)
    order = np.random.default_rng(seed).permutation(len(names))
    left, taken = wanted.tolist(), np.zeros(len(names), bool)
    for group, kind, size in zip(order.tolist(), kinds[order].tolist(), sizes[order].tolist(), strict=True):
        if size <= left[kind]:
            left[kind] -= size
            taken[group] = True
    short = float(wanted.sum() - sizes[taken].sum())
    rest = order[~taken[order]]
    for group in rest[np.argsort(sizes[rest], kind="stable")]:
        if sizes[group] / 2 > short and taken.any():
            break
        short -= float(sizes[group])
        taken[group] = True
    return names[taken]
