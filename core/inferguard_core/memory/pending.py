"""What waits to be written: taken in without waiting, bounded, the newest version of each thing.

When nothing can be written for long, readings give way first and events next, and are counted; incidents, what
was learnt and the audit stay, since there are few of them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inferguard_core.memory.case import Case
from inferguard_core.memory.records import Audited, ReadingRow, Sent, Taught, Told

if TYPE_CHECKING:
    from inferguard_core.memory.protocol import Record

MOST_READINGS = 20_000
"""Five hours of one endpoint at a second, ten minutes of thirty: about 10 MB."""
MOST_EVENTS = 5_000
MOST_AUDIT = 10_000


@dataclass(slots=True)
class Batch:
    """Everything of one write, the newest version of each thing by its key."""

    readings: dict[tuple[str, int], ReadingRow] = field(default_factory=dict)
    """By endpoint and second."""
    cases: dict[str, Case] = field(default_factory=dict)
    learned: dict[str, Taught] = field(default_factory=dict)
    events: dict[str, Told] = field(default_factory=dict)
    audit: dict[str, Audited] = field(default_factory=dict)
    sent: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        readings_and_cases = len(self.readings) + len(self.cases)
        return readings_and_cases + len(self.learned) + len(self.events) + len(self.audit) + len(self.sent)

    def add(self, record: Record) -> None:
        match record:
            case ReadingRow():
                self.readings[record.endpoint, int(record.unix)] = record
            case Case():
                self.cases[record.id] = record
            case Taught():
                self.learned[record.endpoint] = record
            case Told():
                self.events[record.uid] = record
            case Audited():
                self.audit[record.uid] = record
            case Sent():
                self.sent.update(record.numbers)

    def bounded(self) -> int:
        """Let the oldest of what is too much go; how many went."""
        lost = 0
        bounds: tuple[tuple[dict[Any, Any], int], ...] = (
            (self.readings, MOST_READINGS),
            (self.events, MOST_EVENTS),
            (self.audit, MOST_AUDIT),
        )
        for waiting, most in bounds:
            while len(waiting) > most:
                del waiting[next(iter(waiting))]
                lost += 1
        return lost

    def parts(self) -> list[Batch]:
        """The same, each case and each endpoint's teaching apart from the rest."""
        apart = [Batch(cases={key: case}) for key, case in self.cases.items()]
        apart += [Batch(learned={key: learned}) for key, learned in self.learned.items()]
        rest = (
            Batch(readings=self.readings),
            Batch(events=self.events),
            Batch(audit=self.audit),
            Batch(sent=self.sent),
        )
        return [*apart, *(part for part in rest if len(part))]

    def under(self, newer: Batch) -> Batch:
        """This batch with `newer` on top."""
        return Batch(
            self.readings | newer.readings,
            self.cases | newer.cases,
            self.learned | newer.learned,
            self.events | newer.events,
            self.audit | newer.audit,
            self.sent | newer.sent,
        )


class Pending:
    """The queue in front of the writer; any thread may put, one takes."""

    def __init__(self) -> None:
        self._batch = Batch()
        self._lock = threading.Lock()
        self.lost = 0
        """Records that gave way."""

    def __len__(self) -> int:
        return len(self._batch)

    def put(self, record: Record) -> None:
        with self._lock:
            self._batch.add(record)
            self.lost += self._batch.bounded()

    def take(self) -> Batch:
        with self._lock:
            batch, self._batch = self._batch, Batch()
        return batch

    def give_back(self, batch: Batch) -> None:
        """Put back what could not be written, below what has come since."""
        with self._lock:
            self._batch = batch.under(self._batch)
            self.lost += self._batch.bounded()
