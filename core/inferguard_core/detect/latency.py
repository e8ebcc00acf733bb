"""Time to first token against its objective and against the endpoint's own past.

Shares of requests over an objective come from bucket deltas and burn an error budget; the pairs are those of the
SRE workbook scaled from days to a session. A lifetime average is never looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Quantile, Share, Window

QUANTILE_WINDOW_S = 60.0
REACHABLE_SHARE = 0.8
"""A loose goal makes a burn factor ask for more than all requests; this share always counts as burning."""


def ttft_high(window: Window, limits: Limits, situation: Situation) -> Finding:
    """A burn-rate pair over the objective, or p95 over a multiple of the baseline."""
    if Signal.TTFT not in situation.spellings:
        return blind("ttft_high", Signal.TTFT)
    fast = _pair(window, limits.burn_fast_long, limits.burn_fast_short, limits)
    slow = _pair(window, limits.burn_slow_long, limits.burn_slow_short, limits)
    quantile = window.quantile(Signal.TTFT, 0.95, QUANTILE_WINDOW_S)
    baseline = situation.baselines.get(Signal.TTFT)
    centre = baseline.centre if baseline is not None else None
    if fast is None and slow is None and quantile is None:
        return unknown("ttft_high")
    fast_limit, slow_limit = _burn_share(limits.burn_fast, limits), _burn_share(limits.burn_slow, limits)
    burning_fast = fast is not None and min(s.over for s in fast) > fast_limit
    burning_slow = slow is not None and min(s.over for s in slow) > slow_limit
    ceiling = None if centre is None else centre * limits.ttft_alert_multiplier
    regressed = quantile is not None and ceiling is not None and quantile.value > ceiling
    shares = fast or slow
    calm_share = shares is None or shares[1].over < 0.75 * slow_limit
    calm_quantile = quantile is None or ceiling is None or quantile.value < 0.75 * ceiling
    return Finding(
        "ttft_high",
        hot=burning_fast or burning_slow or regressed,
        cool=calm_share and calm_quantile,
        for_s=limits.latency_for,
        keep_s=limits.latency_keep,
        severity=Severity.CRITICAL if burning_fast else Severity.WARNING,
        summary=_summary(shares, quantile, centre if regressed else None),
        evidence=_evidence(shares, fast_limit if fast else slow_limit, quantile, ceiling, centre, situation),
    )


def _burn_share(burn: float, limits: Limits) -> float:
    """Share of bad requests at which the budget burns `burn` times too fast."""
    return min(REACHABLE_SHARE, burn * (1.0 - limits.latency_goal))


def _pair(window: Window, long_s: float, short_s: float, limits: Limits) -> tuple[Share, Share] | None:
    """Shares over the objective on the long and short window; None with too few requests in the short one."""
    short = window.share_over(Signal.TTFT, limits.ttft_objective_s, short_s)
    long = window.share_over(Signal.TTFT, limits.ttft_objective_s, long_s)
    if short is None or long is None or short.n < limits.latency_min_n:
        return None
    return long, short


def _summary(shares: tuple[Share, Share] | None, quantile: Quantile | None, centre: float | None) -> str:
    parts = []
    if shares is not None:
        parts.append(f"{shares[1].over:.0%} over {shares[1].edge:g} s")
    if quantile is not None:
        parts.append(f"p95 {'≥ ' if quantile.beyond else ''}{quantile.value:.2f} s n {quantile.n}")
    if centre is not None:
        parts.append(f"was {centre:.2f} s")
    return ", ".join(parts)


def _evidence(
    shares: tuple[Share, Share] | None,
    share_limit: float,
    quantile: Quantile | None,
    ceiling: float | None,
    centre: float | None,
    situation: Situation,
) -> tuple[Evidence, ...]:
    source = situation.source(Signal.TTFT)
    rows = [
        Evidence(f"ttft_over_{s.edge:g}s", s.over, "ratio", share_limit, None, s.seconds, s.n, source)
        for s in shares or ()
    ]
    if quantile is not None:
        rows.append(
            Evidence(
                "ttft_p95", quantile.value, "seconds", ceiling, centre, quantile.seconds, quantile.n, source
            )
        )
    return tuple(rows)
