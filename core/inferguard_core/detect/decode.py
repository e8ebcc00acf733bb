"""Decoding slower than this engine's own healthy decoding: a lasting step, and tokens lost per request.

Neither has an absolute limit: what is slow is only known from the same engine at like load.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from inferguard_core.baselines import TABLE, Normal, batch_class
from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.frame import Severity
from inferguard_core.load import RATE_WINDOW_S, STRETCH_S, Decoding, decoding, generated
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.baseline import Baseline
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

DRIFT_MIN_SHARE = 0.5
"""Of the stretches in the window, this many must have decoded at a batch size whose normal is known."""
QUIET_STRETCHES = 2
"""As a first look: while the newest half minute is in the band, there is no step that lasts."""


def decode_drift(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Inter-token latency ÷ its healthy level at like batch size, as the median over the last minutes."""
    if Signal.ITL not in situation.spellings:
        return blind("decode_drift", Signal.ITL)
    recent = _steps(decoding(window, QUIET_STRETCHES), situation)
    if not recent:
        return unknown("decode_drift")
    count = max(QUIET_STRETCHES, round(limits.drift_window / STRETCH_S))
    if max(recent) <= 1.0 + limits.drift_step / 2:
        steps, step = recent, median(recent)
    else:
        steps = _steps(decoding(window, count), situation)
        step = median(steps)
    lasting = len(steps) >= DRIFT_MIN_SHARE * count and step >= 1.0 + limits.drift_step
    source = situation.source(Signal.ITL)
    row = Evidence(
        "itl_step", step, "ratio", 1.0 + limits.drift_step, 1.0, len(steps) * STRETCH_S, len(steps), source
    )
    return Finding(
        "decode_drift",
        hot=lasting,
        cool=step < 1.0 + limits.drift_step / 2,
        for_s=limits.drift_for,
        keep_s=limits.drift_keep,
        severity=Severity.WARNING if step >= 1.0 + limits.drift_warning_step else Severity.NOTICE,
        summary=f"time between tokens is {step:.2f} times its normal at like batch size",
        evidence=(row,),
        since_s=len(steps) * STRETCH_S / 2 if lasting else 0.0,
    )


def _steps(looks: list[Decoding], situation: Situation) -> list[float]:
    """Latency over its normal for each stretch whose batch size has one."""
    known = ((look, situation.normal(batch_class(look.batch))) for look in looks if look.plain)
    return [look.itl / normal for look, normal in known if normal]


def throughput_drop(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Tokens per running request far below normal while no fewer requests run and no more tokens come out.

    The last part keeps a larger batch, which is slower for each and faster for all, from reading as a loss.
    """
    if Signal.RUNNING not in situation.spellings or Signal.GENERATION_TOKENS not in situation.spellings:
        return blind("throughput_drop", Signal.RUNNING, Signal.GENERATION_TOKENS)
    made, running = generated(window, RATE_WINDOW_S), window.mean(Signal.RUNNING, RATE_WINDOW_S)
    baseline = situation.baselines.get(Normal.GENERATION_PER_RUNNING)
    normal = baseline.centre if baseline is not None else None
    usual_rate, usual_running = situation.normal(Normal.GENERATION_RATE), situation.normal(Normal.RUNNING)
    if made is None or running is None or baseline is None or not normal:
        return unknown("throughput_drop")
    if usual_rate is None or usual_running is None or made.seconds < RATE_WINDOW_S / 2:
        return unknown("throughput_drop")
    each = made.rate / running if running > 0.0 else normal
    loaded = running >= max(limits.throughput_min_running, 0.9 * usual_running)
    hot = (
        loaded
        and "stall" not in situation.active
        and made.rate <= usual_rate
        and _far_below(each, baseline, normal, limits)
    )
    return Finding(
        "throughput_drop",
        hot=hot,
        cool=not loaded or each >= normal * (1.0 - limits.throughput_clear),
        for_s=limits.throughput_for,
        keep_s=limits.throughput_keep,
        severity=Severity.WARNING,
        summary=f"{each:.0f} tokens/s per running request, was {normal:.0f}; {running:.0f} running",
        evidence=(_each_row(each, normal, made.seconds, limits, situation),),
    )


def _far_below(each: float, baseline: Baseline, normal: float, limits: Limits) -> bool:
    z = baseline.z(each, TABLE[Normal.GENERATION_PER_RUNNING].floor)
    return z is not None and z < -limits.throughput_z and each <= normal * (1.0 - limits.throughput_drop)


def _each_row(each: float, normal: float, seconds: float, limits: Limits, situation: Situation) -> Evidence:
    source = situation.source(Signal.GENERATION_TOKENS, Signal.RUNNING)
    limit = normal * (1.0 - limits.throughput_drop)
    return Evidence("generation_per_running", each, "tokens/s", limit, normal, seconds, source=source)
