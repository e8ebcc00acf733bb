"""What a page of metrics must be told, whatever engine it speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.rank import Rank
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.step import Step


class Exposition(Protocol):
    """One server process's page. It starts at zero with the process and hears everything once."""

    def accepted(self, request: Request) -> None:
        """The API server took an HTTP request."""
        ...

    def closed(self, request: Request, now: float) -> None:
        """The HTTP exchange ended: the answer is complete, the engine failed, or the client hung up."""
        ...

    def refused(self, handler: str, status: int) -> None:
        """The API server answered at once with an error status; nothing reached the scheduler."""
        ...

    def aborted(self, request: Request) -> None:
        """The scheduler dropped a request whose client is gone."""
        ...

    def stepped(self, step: Step, rank: Rank) -> None:
        """A step of this core is complete."""
        ...

    def idled(self, rank: Rank, now: float) -> None:
        """The loop of this core found nothing to do."""
        ...

    def text(self, now: float, *, alive_at: Sequence[float]) -> str:
        """The page at `now`; `alive_at` is for each core when its loop last turned, or now when it is idle."""
        ...
