"""A count with its noun, which is plural but for one (`1 endpoint`, `12 endpoints`), and what else is a count."""

from __future__ import annotations

from typing import Final

COUNTS: Final = frozenset(
    {"target_concurrency", "running_now", "waiting_now", "target_agents", "in_flight_now"}
)
"""Parameters of an action that count requests or agents. Measured as a median or a mean one may have a fraction,
which is kept where it is computed with and not shown: half a request does not run."""


def counted(number: float, noun: str, plural: str = "") -> str:
    """`number` as a whole one, and `noun` in the form that goes with what is shown of it."""
    shown = f"{number:.0f}"
    return f"{shown} {noun if shown == '1' else plural or f'{noun}s'}"
