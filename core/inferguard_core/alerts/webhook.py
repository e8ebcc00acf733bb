"""Notices for a generic webhook: every edge once, in order, each a whole statement."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from inferguard_core.alerts.outlet import Batch

if TYPE_CHECKING:
    from inferguard_core.alerts.notice import Notice


class WebhookSpool:
    """Notices that have not arrived; of too many the oldest goes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._queue: deque[tuple[int, Notice]] = deque()
        self._count = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def take(self, notice: Notice) -> None:
        self._count += 1
        self._queue.append((self._count, notice))
        while len(self._queue) > self._most:
            self._queue.popleft()
            self.lost += 1

    def batch(self, unix: float) -> Batch | None:
        if not self._queue:
            return None
        number, notice = self._queue[0]
        key = f"{notice.incident.id}/{notice.edge}/{notice.unix:.3f}"
        return Batch(notice.to_json() | {"sent_unix": round(unix, 3)}, number, key)

    def sent(self, batch: Batch, unix: float) -> None:  # noqa: ARG002
        if self._queue and self._queue[0][0] == batch.token:
            self._queue.popleft()

    def due_s(self, unix: float) -> float | None:  # noqa: ARG002
        return None
