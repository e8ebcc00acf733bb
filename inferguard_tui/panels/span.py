"""The span of time that charts and sparklines show. Panels take the trends they are given; this gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.frame import SPANS_S

if TYPE_CHECKING:
    from inferguard_core.frame import Frame


def next_span(span_s: float, by: int) -> float:
    """The span `by` places longer, or shorter; the longest and the shortest stay."""
    at = SPANS_S.index(span_s) if span_s in SPANS_S else 0
    return SPANS_S[min(max(at + by, 0), len(SPANS_S) - 1)]


def over(frame: Frame | None, span_s: float) -> Frame | None:
    """The frame with the trends over `span_s` as its trends."""
    if frame is None or span_s == SPANS_S[0]:
        return frame
    return replace(
        frame,
        endpoints=tuple(replace(e, trends=e.longer_trends.get(span_s, {})) for e in frame.endpoints),
    )
