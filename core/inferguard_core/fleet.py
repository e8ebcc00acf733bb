"""Endpoints that come and go: what a target list or a metrics server may ask of whoever watches them.

A fleet decides who is watched and, where one answer holds many endpoints' pages, hands the pages over. It judges
nothing and remembers no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from inferguard_core.frame import MeasureId, PartHealth
    from inferguard_core.poll import Poll, ProofLevel, Source

Past = Mapping["MeasureId", Sequence[tuple[float, float | None]]]
"""Measures over time, as (Unix seconds, value)."""


class Membership(Protocol):
    """The endpoints under watch, as a fleet may change them. Every method returns at once."""

    def add(self, name: str, source: Source, delay_s: float = 0.0) -> None:
        """Poll `source`, the first time after `delay_s`. One that is watched already stays as it is."""
        ...

    def admit(self, name: str, endpoint: str, proof: ProofLevel, interval_s: float) -> None:
        """Watch an endpoint whose polls are delivered, about every `interval_s`."""
        ...

    def deliver(self, endpoint: str, poll: Poll) -> None:
        """Hand over the next poll of an admitted endpoint; one that is not watched is ignored."""
        ...

    def recall(self, endpoint: str, past: Past) -> None:
        """Show what the measures of an endpoint under watch were before; nothing is judged by it."""
        ...

    def remove(self, endpoint: str) -> None:
        """Stop watching; what its source holds is released in the background."""
        ...


class Fleet(Protocol):
    """Something that knows which endpoints there are."""

    @property
    def health(self) -> PartHealth:
        """Whether it is reached, for the status line."""
        ...

    async def follow(self, members: Membership) -> None:
        """Keep the membership up to date until cancelled. Raises for nothing that a server or a file does."""
        ...

    async def close(self) -> None:
        """Release what it holds; after `follow` has ended."""
        ...
