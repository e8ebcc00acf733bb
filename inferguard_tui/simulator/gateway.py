"""What stands between clients and engine and can hold requests back: the place where actions take effect.

Neither engine changes its limits while it runs, so a throttle, a drain and a quarantine are the gateway's doing.
The engine sees a request when it is let through; the client has waited since it sent it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferguard_tui.simulator.host import Host
    from inferguard_tui.simulator.request import Request

DRAIN_S = 20.0
"""What has not finished after this long is cut off by the restart."""
RECYCLE_S = 6.0
"""From the end of a drained process to the next one's first answer."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Requests that are refused: longer than one of these."""

    prompt_tokens_over: float = math.inf
    output_tokens_over: float = math.inf

    def fits(self, request: Request) -> bool:
        return request.prompt_tokens > self.prompt_tokens_over or request.max_tokens > self.output_tokens_over


class Gateway:
    """Lets everything through until told otherwise."""

    def __init__(self) -> None:
        self.cap: int | None = None
        """Requests in the engine at once."""
        self.per_second: float | None = None
        self.quarantined: list[Shape] = []
        self.held: deque[Request] = deque()
        self.refused = 0
        self.drained_by: float | None = None
        """While it drains: when the restart comes at the latest."""
        self._admitted_at = -math.inf

    def refuses(self, request: Request) -> bool:
        if not any(shape.fits(request) for shape in self.quarantined):
            return False
        self.refused += 1
        return True

    def pass_on(self, host: Host, now: float) -> None:
        """Let through what may, and recycle the process when it has drained."""
        if self.drained_by is not None and (not host.process.open or now >= self.drained_by):
            host.restart(now, RECYCLE_S)
            self.drained_by = None
        while self.held and not host.down and not self._full(len(host.process.open), now):
            host.process.accept(self._release(now))
            self._admitted_at = now

    def _full(self, in_engine: int, now: float) -> bool:
        """Whether the next request has to wait here."""
        if self.drained_by is not None or (self.cap is not None and in_engine >= self.cap):
            return True
        return self.per_second is not None and now < self._admitted_at + 1.0 / self.per_second

    def hold(self, request: Request) -> None:
        self.held.append(request)

    def drop(self, request: Request) -> None:
        """Its client hung up."""
        if request in self.held:
            self.held.remove(request)

    def _release(self, now: float) -> Request:
        """The request that has waited longest; for the engine it arrives now."""
        request = self.held.popleft()
        request.held_s = now - request.arrived_at
        request.arrived_at = now
        return request

    def next_at(self, now: float) -> float:
        """When something happens here by itself."""
        if self.drained_by is not None:
            return self.drained_by
        # What is due already waits for something else: a place below the cap, or a process that is up.
        due = self._admitted_at + 1.0 / self.per_second if self.held and self.per_second else math.inf
        return due if due > now else math.inf
