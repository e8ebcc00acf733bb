"""The order of a fleet: worst first, and still while somebody is reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.panels.verdict import rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.frame import EndpointFrame

REST_S = 10.0
"""Seconds of frames after the last cursor movement before rows may change place again."""


def worst_first(endpoints: Sequence[EndpointFrame]) -> tuple[str, ...]:
    """Keys by state, worst first; equals keep the order in which they were given."""
    return tuple(e.endpoint for e in sorted(endpoints, key=lambda e: -rank(e.status)))


def may_sort(
    order: Sequence[str], endpoints: Sequence[EndpointFrame], moved_unix: float | None, unix: float
) -> bool:
    """Whether rows may change place now.

    Always when endpoints came or went. Otherwise not within `REST_S` of the last movement of the cursor, counted
    on the frames' own clock; a clock that was set back counts as rest.
    """
    if set(order) != {e.endpoint for e in endpoints}:
        return True
    return moved_unix is None or not 0.0 <= unix - moved_unix < REST_S
