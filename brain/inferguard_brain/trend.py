"""W1, trend: what rises steadily towards a threshold, and when it would be there if it went on like this.

A Theil–Sen line through the window, told only when its slopes agree (Kendall's tau), it has come a good part of
the way, and the time is within what the fit promises. Above the threshold it is silent: then a rule speaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from inferguard_brain.advisory import AdvisoryType, advisory, evidence, range_words
from inferguard_brain.fit import Crossing, Line, crossing, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inferguard_brain.context import Context

TAU: Final = 0.7
"""Of a line that is one: of 12 unrelated points 1 in 2000 series has it."""
FORMULA: Final = "share of pairwise slopes that reach the threshold within 3 × the fit, times Kendall's tau"


class Target(NamedTuple):
    signal: str
    kind: AdvisoryType
    threshold: Callable[[Context], float | None]
    least: float
    """Share of the threshold from which a rise is a trend and not traffic."""
    rise: float
    """Least rise over the fit, as a share of the threshold."""
    fits: tuple[float, ...]
    """Seconds that a line may be fitted to, shortest first."""
    told_by: frozenset[str]
    """Kinds of anomaly that already say so."""
    words: str


def _objective(name: str, default: float) -> Callable[[Context], float | None]:
    return lambda context: context.limit(name, default)


def _queue_trigger(context: Context) -> float | None:
    """Where `queue_growth` would begin: five, or a quarter of what runs."""
    running = context.values("running", 60.0)
    if not running:
        return None
    share = context.limit("queue_of_running", 0.25) * sum(running) / len(running)
    return max(context.limit("queue_min_waiting", 5.0), share)


TARGETS: Final = (
    Target(
        "kv_usage",
        "capacity_cliff_predicted",
        lambda _: 1.0,
        0.6,
        0.1,
        (60.0, 120.0, 300.0),
        frozenset({"kv_saturated", "preemption", "stall"}),
        "KV pool full",
    ),
    Target(
        "waiting",
        "degradation_trend",
        _queue_trigger,
        0.4,
        0.4,
        (120.0, 300.0),
        frozenset({"queue_growth"}),
        "queue at its limit",
    ),
    Target(
        "ttft_p95",
        "degradation_trend",
        _objective("ttft_objective_s", 1.0),
        0.4,
        0.3,
        (300.0, 600.0),
        frozenset({"ttft_high", "queue_growth"}),
        "time to first token over its objective",
    ),
    Target(
        "itl_p95",
        "degradation_trend",
        _objective("itl_objective_s", 0.2),
        0.4,
        0.3,
        (300.0, 600.0),
        frozenset({"itl_high", "decode_drift"}),
        "inter-token latency over its objective",
    ),
)


def trends(context: Context) -> Iterator[dict[str, Any]]:
    """An advisory for each signal on its way to its threshold."""
    for target in TARGETS:
        threshold = target.threshold(context)
        if threshold is None or target.told_by & context.firing:
            continue
        found = [hit for fit_s in target.fits if (hit := heads_for(context, target, threshold, fit_s))]
        if found:
            fitted, meets = min(found, key=lambda hit: hit[1].seconds)
            yield _told(context, target, threshold, fitted, meets)


def heads_for(
    context: Context, target: Target, threshold: float, fit_s: float
) -> tuple[Line, Crossing] | None:
    points = context.points(target.signal, fit_s)
    fitted = line(points)
    if fitted is None or fitted.span_s < 0.75 * fit_s or points[-1][0] < -fit_s / 4:
        return None
    if fitted.level < target.least * threshold or fitted.rise < target.rise * threshold:
        return None
    if fitted.tau < TAU or fitted.low <= 0:
        return None
    meets = crossing(fitted, threshold)
    return (fitted, meets) if meets is not None and meets.seconds <= fitted.promise_s else None


def _told(
    context: Context, target: Target, threshold: float, fitted: Line, meets: Crossing
) -> dict[str, Any]:
    share = fitted.share_reaching(threshold, fitted.promise_s)
    per_minute = fitted.slope * 60
    unit = context.unit(target.signal)
    moved = f"{per_minute:+.1%} a minute" if unit == "ratio" else f"{per_minute:+.3g} {unit} a minute"
    return advisory(
        target.kind,
        f"{target.words} {range_words(meets, fitted.promise_s)} if it goes on: {moved} over {fitted.span_s:.0f} s",
        subject=target.signal,
        confidence=share * fitted.tau,
        formula=FORMULA,
        horizon_s=meets.seconds,
        evidence=[
            evidence(
                context,
                target.signal,
                fitted.level,
                threshold=threshold,
                window_s=fitted.span_s,
                n=fitted.n,
            ),
            evidence(
                context,
                f"{target.signal}_slope",
                fitted.slope,
                window_s=fitted.span_s,
                n=fitted.n,
                unit=f"{unit}/s",
            ),
        ],
    )
