"""Guarantee 5 in the long run: batches with random faults in between, and an account to the message."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fault.conftest import Extent
from tests.fault.forks import Ended, Forks
from tests.fault.state import SMALL, left_over, read_state
from tests.projects import Project

INFERENCE = (*SMALL, "pipeline=inference", "drift.response=none", "drift.window=1", "quarantine.max_share=0.5")
WORDS = ("good", "bad", "slow", "fine", "cold", "warm", "food", "room", "staff", "price", "never", "always", "clean")


@dataclass
class Delivery:
    """What was put into the inbox, as whoever delivers it knows it.

    Parameters
    ----------
    rows : int
        Lines delivered.
    whole : set of str
        Ids of messages that are as they should be.
    broken : int
        Lines that are no message.
    """

    draw: random.Random
    rows: int = 0
    whole: set[str] = field(default_factory=set)
    broken: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def lines(self, number: int) -> list[bytes]:
        """Return a file of messages: new ones, some that came before, and some that are broken."""
        rows = []
        for position in range(self.draw.randint(10, 40)):
            name = f"soak-{number}-{position}"
            if self.whole and self.draw.random() < 0.05:
                name = self.draw.choice(sorted(self.whole)[:200])
            rows.append(self._row(name))
            self.whole.add(name)
        if self.draw.random() < 0.3:
            broken = [b'{"review_id": "cut off', b"\xff\xfe\x00", b'{"text": "no id"}', b"[]", b'{"review_id": null}']
            for line in self.draw.sample(broken, 3):
                rows.insert(self.draw.randrange(len(rows)), line)
                self.broken += 1
        self.rows += len(rows)
        return rows

    def _row(self, name: str) -> bytes:
        # the same id has the same text: another one would be a conflict, which is quarantined
        words = random.Random(name).choices(WORDS, k=12)
        row = {"review_id": name, "user_id": "u", "business_id": "b", "text": " ".join(words)}
        return json.dumps({**row, "date": "2026-01-02 03:04:05"}).encode()


def test_messages_in_are_predicted_quarantined_or_duplicates_after_many_faulty_nights(
    copy: Callable[[str], Project], forks: Forks, extent: Extent, figure: Callable[[str], None]
) -> None:
    project, draw = copy("project"), random.Random(11)
    inbox = project.inbox
    assert forks.run(project, *INFERENCE).code == 0
    start = read_state(project)
    delivery = Delivery(draw)
    faults = delivery.faults
    for number in range(extent.soak):
        before = delivery.broken
        lines = delivery.lines(number)
        packed_file = draw.random() < 0.2
        if packed_file:
            with gzip.open(inbox / f"review_{number}.json.gz", "wb") as packed:
                packed.write(b"\n".join(lines) + b"\n")
        else:
            (inbox / f"review_{number}.json").write_bytes(b"\n".join(lines) + b"\n")
        if draw.random() < 0.1:
            (inbox / f"review_{number}_empty.json").write_bytes(b"")
            faults["empty files"] += 1
        if draw.random() < 0.1:
            (inbox / f"review_{number}_again.json").write_bytes(b"\n".join(lines) + b"\n")
            faults["files delivered twice"] += 1
            if packed_file:  # other bytes: this one is read, and its broken lines are quarantined again
                delivery.broken += delivery.broken - before
        _night(project, forks, draw, faults)
    ended = forks.run(project, *INFERENCE)
    assert ended.code == 0, ended.err
    state = read_state(project)
    totals = Counter[str]()
    for name in state.accounts.keys() - start.accounts.keys():
        totals.update(state.accounts[name])
    predicted = state.predicted.keys() - start.predicted.keys()
    assert predicted == delivery.whole, "just the messages that were delivered whole are predicted"
    assert totals["predicted"] == len(predicted)
    assert totals["in"] == totals["predicted"] + totals["quarantined"] + totals["duplicates"]
    assert totals["quarantined"] == delivery.broken
    assert left_over(project) == []
    figure(
        f"soak: {extent.soak} batches, faults: {dict(faults)}; {totals['in']} messages in = {totals['predicted']} "
        f"predicted + {totals['quarantined']} quarantined + {totals['duplicates']} duplicates"
    )


def _night(project: Project, forks: Forks, draw: random.Random, faults: Counter[str]) -> None:
    """Run the job until it is done, with what may go wrong in a night."""
    if draw.random() < 0.4:
        faults["kills"] += forks.kill_after(draw.uniform(0, 0.8), project, *INFERENCE)
    if draw.random() < 0.1:
        limited = forks.run(project, *INFERENCE, largest_file=draw.choice([500, 3000, 9000]))
        assert limited.code in {0, 3}, limited.err
        faults["limits on the size of files"] += limited.code == 3
    if draw.random() < 0.05:
        assert forks.run(project, *INFERENCE, clock=(-draw.uniform(0, 1e7), -1e7)).code == 0
        faults["clocks that went back"] += 1
    if draw.random() < 0.1:
        ended = _pair(project, forks)
        assert sorted(run.code for run in ended) in ([0, 75], [0, 0]), [run.err for run in ended]
        faults["runs at once"] += 1
        return
    ended_well = forks.run(project, *INFERENCE)
    assert ended_well.code == 0, ended_well.err


def _pair(project: Project, forks: Forks) -> list[Ended]:
    runs = [forks.start(project, *INFERENCE) for _ in range(2)]
    return [run.wait() for run in runs]
