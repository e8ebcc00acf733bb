"""Where the KV pool is heading: a cone from what is held now, on the time scale of the chart beside it.

Straight lines to full, at the earliest, the expected and the latest time of the forecast. It shows what the
forecast says and adds nothing to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.frame import EndpointFrame

_SHARE = 5
"""The future has a fifth of the chart: what is known has the rest."""
LEAST = 40
"""Columns below which there is no room for a future."""


def future_columns(endpoint: EndpointFrame, count: int) -> int:
    """How many of `count` columns the cone takes; none without a time to full."""
    forecast = endpoint.forecast
    return count // _SHARE if forecast is not None and forecast.seconds is not None and count >= LEAST else 0


def cone(
    endpoint: EndpointFrame, past: int, future: int, column_s: float
) -> tuple[Sequence[float | None], ...]:
    """Lines over `past` + `future` columns of `column_s` seconds; empty ones where nothing is forecast."""
    forecast = endpoint.forecast
    if forecast is None or forecast.seconds is None or future <= 0:
        return ()
    times = dict.fromkeys(t for t in (forecast.low_s, forecast.seconds, forecast.high_s) if t is not None)
    return tuple([None] * past + _line(forecast.usage, full_s, future, column_s) for full_s in times)


def _line(usage: float, full_s: float, future: int, column_s: float) -> list[float | None]:
    """From `usage` to 1 within `full_s`; nothing after it is full."""
    points: list[float | None] = []
    for column in range(1, future + 1):
        at_s = column * column_s
        share = at_s / full_s if full_s > 0 else 1.0
        # The first column that reaches the top is drawn, so that even the nearest time shows.
        points.append(min(1.0, usage + (1.0 - usage) * share) if at_s - column_s < full_s else None)
    return points
