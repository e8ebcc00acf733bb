"""Causes and their headline figures in plain words: what stands in the verdict line, the fleet and the incident log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import MeasureId, Severity
from inferguard_core.printable import printable
from inferguard_tui.formatting import amount, percent, rate, seconds
from inferguard_tui.panels.measures import shown, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.frame import EndpointFrame

UNCLEAR = "unclear"
WORDS = {
    "arrival_surge": "more requests than it can serve",
    "long_contexts": "KV held by long contexts",
    "prefix_thrash": "prefix cache thrashes",
    "prefix_broken": "prefix reuse broke",
    "kv_exhausted": "KV exhausted by demand",
    "sequence_cap": "sequence cap reached",
    "compute_bound": "prompt compute is the limit",
    "prefill_interference": "prefills hold up decoding",
    "conservative_admission": "admission too cautious",
    "offload_pressure": "KV spills to a slower tier",
    "spec_collapse": "drafts no longer accepted",
    "engine_stalled": "engine makes no progress",
    "engine_restarted": "engine restarted",
    "shape_crash": "a request shape crashes it",
    "engine_down": "engine down",
    "abort_storm": "clients hang up",
    "error_storm": "requests fail",
    "rank_imbalance": "ranks out of step",
    UNCLEAR: "cause unclear",
}


def cause_words(cause: str) -> str:
    """A cause in a few words; one that is not in the table by its own name."""
    return WORDS.get(cause) or printable(cause).replace("_", " ")


def _waiting(endpoint: EndpointFrame) -> str:
    waiting, wait = value(endpoint, MeasureId.WAITING), value(endpoint, MeasureId.WAIT_ESTIMATE)
    if waiting is None:
        return ""
    return f"{amount(waiting)} waiting" + (f", wait ≈ {seconds(wait)}" if wait else "")


def _labelled(
    label: str, measure: MeasureId, form: Callable[[float | None], str] | None = None
) -> Callable[[EndpointFrame], str]:
    def words(endpoint: EndpointFrame) -> str:
        known = value(endpoint, measure)
        if known is None:
            return ""
        return f"{label} {form(known) if form is not None else shown(endpoint, measure)}"

    return words


def _preempted(endpoint: EndpointFrame) -> str:
    preempted = value(endpoint, MeasureId.PREEMPTION_RATE)
    return f"preempting {rate(preempted)}" if preempted else ""


_KV = _labelled("KV", MeasureId.KV_USAGE)
_HIT = _labelled("hit rate", MeasureId.PREFIX_HIT_RATE, lambda v: percent(v, 0))
_ITL = _labelled("ITL p95", MeasureId.ITL_P95)
_FIGURES: dict[str, Callable[[EndpointFrame], str]] = {
    "preemption": _preempted,
    "queue_growth": _waiting,
    "ttft_high": _labelled("TTFT p95", MeasureId.TTFT_P95),
    "itl_high": _ITL,
    "decode_drift": _ITL,
    "throughput_drop": _labelled("decode", MeasureId.GENERATION_RATE),
    "kv_saturated": _KV,
    "kv_high": _KV,
    "prefix_hit_drop": _HIT,
    "prefix_thrash": _HIT,
    "spec_acceptance_drop": _labelled("drafts accepted", MeasureId.SPEC_ACCEPTANCE),
}
"""The figure that an anomaly is about; one that is not in here is told by its own summary."""


def headline_figures(endpoint: EndpointFrame) -> tuple[str, ...]:
    """The figures of what is wrong, worst first, each once; a notice alone is none."""
    told = [a for a in endpoint.anomalies if a.severity >= Severity.WARNING]
    words = (_FIGURES[a.kind](endpoint) if a.kind in _FIGURES else a.summary for a in told)
    return tuple(dict.fromkeys(word for word in words if word))
