"""Time to first token and between tokens, against the objective and against the endpoint's own past.

Shares over an objective come from bucket deltas and burn an error budget; the pairs are those of the SRE workbook
scaled from days to a session. A lifetime average is never looked at. SGLang observes the first token of a
request that does not stream only at its first flush, after up to 50 tokens: before 0.5.17, which tells them
apart, such requests raise this number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.baselines import TABLE, Normal
from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence
from inferguard_core.window import bucket_quantile

if TYPE_CHECKING:
    from inferguard_core.baseline import Baseline
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Quantile, Share, Window

QUANTILE_WINDOW_S = 60.0
RECENT_S = 15.0
"""A hiccup stays in the quantile of a minute for a minute; one that is still going on is in the newest seconds."""
REACHABLE_SHARE = 0.8
"""A loose goal makes a burn factor ask for more than all requests; this share always counts as burning."""
OUTLIER_Z = 3.5
"""Iglewicz and Hoaglin."""
CONFIDENCE_Z = 2.0
"""Standard errors by which the rank of p95 is lowered before it is compared: of 20 requests two prove nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Which latency, and what it is held against."""

    kind: str
    signal: Signal
    normal: Normal
    objective: float
    min_n: float


@dataclass(frozen=True, slots=True)
class Look:
    """One latency at one instant."""

    fast: tuple[Share, Share] | None
    """Shares over the objective on the long and the short window; None with too few observations."""
    slow: tuple[Share, Share] | None
    quantile: Quantile | None
    centre: float | None
    ceiling: float | None
    """Above it p95 is another than it was."""
    regressed: bool
    fast_limit: float
    slow_limit: float

    @property
    def burning_fast(self) -> bool:
        return self.fast is not None and min(s.over for s in self.fast) > self.fast_limit

    @property
    def burning_slowly(self) -> bool:
        return self.slow is not None and min(s.over for s in self.slow) > self.slow_limit

    @property
    def telling(self) -> tuple[Share, Share] | None:
        """The pair that burns; else the fast one."""
        return self.slow if self.burning_slowly and not self.burning_fast else self.fast or self.slow

    @property
    def calm(self) -> bool:
        """Well below every trigger that can be judged."""
        shares = self.fast or self.slow
        calm_share = shares is None or shares[1].over < 0.75 * self.slow_limit
        known = self.quantile is not None and self.ceiling is not None
        return calm_share and (not known or self.quantile.value < 0.75 * self.ceiling)  # type: ignore[operator, union-attr]


def ttft_high(window: Window, limits: Limits, situation: Situation) -> Finding:
    """First tokens late: a burn-rate pair over the objective, or p95 over a multiple of the baseline."""
    subject = Subject(
        "ttft_high", Signal.TTFT, Normal.TTFT_P95, limits.ttft_objective_s, limits.latency_min_n
    )
    return _latency(window, limits, situation, subject)


def itl_high(window: Window, limits: Limits, situation: Situation) -> Finding:
    """The same of the time between tokens."""
    subject = Subject("itl_high", Signal.ITL, Normal.ITL_P95, limits.itl_objective_s, limits.itl_min_n)
    return _latency(window, limits, situation, subject)


def _latency(window: Window, limits: Limits, situation: Situation, subject: Subject) -> Finding:
    if subject.signal not in situation.spellings:
        return blind(subject.kind, subject.signal)
    look = _look(window, limits, situation, subject)
    if look.fast is None and look.slow is None and look.quantile is None:
        return unknown(subject.kind)
    return Finding(
        subject.kind,
        hot=look.burning_fast or look.burning_slowly or look.regressed,
        cool=look.calm,
        for_s=limits.latency_for,
        keep_s=limits.latency_keep,
        severity=Severity.CRITICAL if look.burning_fast else Severity.WARNING,
        summary=_summary(look, subject),
        evidence=_evidence(look, situation, subject),
    )


def _look(window: Window, limits: Limits, situation: Situation, subject: Subject) -> Look:
    quantile = window.quantile(subject.signal, 0.95, QUANTILE_WINDOW_S)
    if quantile is not None and quantile.n < subject.min_n:
        quantile = None
    baseline = situation.baselines.get(subject.normal)
    centre = baseline.centre if baseline is not None else None
    ceiling = _ceiling(baseline, limits, subject) if baseline is not None else None
    return Look(
        fast=_pair(window, limits.burn_fast_long, limits.burn_fast_short, subject),
        slow=_pair(window, limits.burn_slow_long, limits.burn_slow_short, subject),
        quantile=quantile,
        centre=centre,
        ceiling=ceiling,
        regressed=quantile is not None and ceiling is not None and _over(window, ceiling, subject),
        fast_limit=_burn_share(limits.burn_fast, limits),
        slow_limit=_burn_share(limits.burn_slow, limits),
    )


def _ceiling(baseline: Baseline, limits: Limits, subject: Subject) -> float | None:
    """Above it p95 is another than it was: twice the usual, beyond its noise, and clear of its usual highs."""
    centre, spread, high = baseline.centre, baseline.spread, baseline.high
    if centre is None or spread is None or high is None:
        return None
    step = limits.latency_step_of_objective * subject.objective
    noise = OUTLIER_Z * max(spread, TABLE[subject.normal].floor)
    return max(centre * limits.ttft_alert_multiplier, centre + noise, high + step)


def _over(window: Window, ceiling: float, subject: Subject) -> bool:
    """Whether p95 is surely above, in the minute and still in its newest seconds."""
    minute = _sure_p95(window, QUANTILE_WINDOW_S, subject)
    recent = _sure_p95(window, RECENT_S, subject)
    return minute is not None and minute > ceiling and (recent is None or recent > ceiling)


def _sure_p95(window: Window, seconds: float, subject: Subject) -> float | None:
    """The lower end of what p95 may truly be, by the binomial error of its rank."""
    delta = window.buckets(subject.signal, seconds)
    if delta is None or delta[0].count < subject.min_n:
        return None
    histogram = delta[0]
    rank = 0.95 - CONFIDENCE_Z * (0.95 * 0.05 / histogram.count) ** 0.5
    return bucket_quantile(histogram.edges, histogram.counts, rank)[0]


def _burn_share(burn: float, limits: Limits) -> float:
    """Share of bad requests at which the budget burns `burn` times too fast."""
    return min(REACHABLE_SHARE, burn * (1.0 - limits.latency_goal))


def _pair(window: Window, long_s: float, short_s: float, subject: Subject) -> tuple[Share, Share] | None:
    """Shares over the objective on the long and short window; None with too few in the short one."""
    short = window.share_over(subject.signal, subject.objective, short_s)
    long = window.share_over(subject.signal, subject.objective, long_s)
    if short is None or long is None or short.n < subject.min_n:
        return None
    return long, short


def _summary(look: Look, subject: Subject) -> str:
    parts = []
    shares, quantile = look.telling, look.quantile
    if shares is not None:
        edge = shares[1].edge
        snapped = f" (objective {subject.objective:g} s)" if edge != subject.objective else ""
        # Of minutes rather than of now: what is over by now still burns there.
        spanned = f" in {shares[1].seconds / 60:.0f} min" if shares is look.slow else ""
        parts.append(f"{shares[1].over:.0%} over {edge:g} s{snapped}{spanned}")
    if quantile is not None:
        shown = f"{quantile.value:.2f} s" if quantile.value >= 0.1 else f"{quantile.value * 1e3:.0f} ms"
        parts.append(f"p95 {'≥ ' if quantile.beyond else ''}{shown} n {quantile.n}")
    if look.regressed and look.centre is not None:
        parts.append(f"was {look.centre:.2f} s" if look.centre >= 0.1 else f"was {look.centre * 1e3:.0f} ms")
    return ", ".join(parts)


def _evidence(look: Look, situation: Situation, subject: Subject) -> tuple[Evidence, ...]:
    """The edge in a share's name is the objective as this engine's buckets allow it."""
    source = situation.source(subject.signal)
    name, shares = subject.signal.value, look.telling
    limit = look.slow_limit if shares is look.slow else look.fast_limit
    rows = [
        Evidence(f"{name}_over_{s.edge:g}s", s.over, "ratio", limit, None, s.seconds, s.n, source)
        for s in shares or ()
    ]
    quantile = look.quantile
    if quantile is not None:
        rows.append(
            Evidence(
                f"{name}_p95",
                quantile.value,
                "seconds",
                look.ceiling,
                look.centre,
                quantile.seconds,
                quantile.n,
                source,
            )
        )
    return tuple(rows)
