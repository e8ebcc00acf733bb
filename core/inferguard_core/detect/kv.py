"""KV pool pressure, now and soon. Pressure alone is a well used engine: without harm no rule says more than notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.detect.onset import lasted
from inferguard_core.forecast import FULL
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.verdict import Forecast
    from inferguard_core.window import Window

LATENCY = frozenset({"ttft_high", "itl_high"})
HARM = LATENCY | {"queue_growth", "preemption"}
PRESSURE_LOOK_BACK_S = 60.0


def family_factor(models: tuple[str, ...], limits: Limits) -> float:
    """Factor on the alert threshold for models whose pressure shows early, 1 for the others.

    With several models the smallest: it can only move a notice earlier.
    """
    return min((_factor(m.lower(), limits) for m in models), default=1.0)


def _factor(model: str, limits: Limits) -> float:
    if "deepseek-r1" in model and not any(base in model for base in ("distill", "qwen", "llama")):
        return limits.deepseek_r1_kv_factor
    if "qwen3.5" in model or "qwen3_5" in model:
        return limits.qwen35_kv_factor
    return 1.0


def kv_high(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Median usage over the alert threshold for `kv_high_for`."""
    if Signal.KV_USAGE not in situation.spellings:
        return blind("kv_high", Signal.KV_USAGE)
    usage = window.median(Signal.KV_USAGE, limits.kv_high_window)
    if usage is None:
        return unknown("kv_high")
    factor = family_factor(situation.models, limits)
    threshold = limits.kv_alert_threshold * factor
    truly_high = usage >= limits.kv_alert_threshold
    severity = Severity.NOTICE
    hot = usage >= threshold
    if truly_high and "preemption" in situation.active and situation.active & (LATENCY | {"queue_growth"}):
        severity = Severity.CRITICAL
    elif truly_high and situation.active & (LATENCY | {"queue_growth"}):
        severity = Severity.WARNING
    return Finding(
        "kv_high",
        hot=hot,
        cool=usage < threshold - limits.kv_high_gap,
        for_s=limits.kv_high_for,
        keep_s=limits.kv_high_keep,
        severity=severity,
        summary=f"KV {usage:.1%} (limit {threshold:.0%})",
        evidence=(_usage(usage, threshold, limits.kv_high_window, situation),),
        since_s=_lasted(window, situation, threshold) if hot else 0.0,
    )


def kv_saturated(window: Window, limits: Limits, situation: Situation) -> Finding:
    """The pool is full to the last blocks."""
    if Signal.KV_USAGE not in situation.spellings:
        return blind("kv_saturated", Signal.KV_USAGE)
    usage = window.maximum(Signal.KV_USAGE, limits.kv_saturated_window)
    if usage is None:
        return unknown("kv_saturated")
    severity = Severity.NOTICE
    if {"preemption", "queue_growth"} <= situation.active:
        severity = Severity.CRITICAL
    elif situation.active & HARM:
        severity = Severity.WARNING
    return Finding(
        "kv_saturated",
        hot=usage >= limits.kv_saturated_usage,
        cool=usage < limits.kv_saturated_clear,
        for_s=limits.kv_saturated_for,
        keep_s=limits.kv_saturated_keep,
        severity=severity,
        summary=f"KV reaches {usage:.1%}: the pool is full",
        evidence=(_usage(usage, limits.kv_saturated_usage, limits.kv_saturated_window, situation),),
    )


def kv_exhaustion_forecast(window: Window, limits: Limits, situation: Situation) -> Finding:
    """The pool is more likely than not to be full soon, twice running. What is full already is no forecast."""
    if Signal.KV_USAGE not in situation.spellings:
        return blind("kv_exhaustion_forecast", Signal.KV_USAGE)
    usage = window.latest(Signal.KV_USAGE)
    if usage is None or usage >= FULL:
        return unknown("kv_exhaustion_forecast")
    forecast = situation.forecast
    probability = forecast.probability if forecast is not None else 0.0
    rows, summary = [_usage(usage, 1.0, situation.interval_s, situation)], ""
    if forecast is not None:
        source = situation.source(Signal.KV_USAGE)
        rows.append(Evidence("kv_slope", forecast.slope, "1/s", 0.0, None, forecast.fit_s, source=source))
        rows.append(
            Evidence(
                "kv_exhaustion_probability",
                probability,
                "ratio",
                limits.forecast_probability,
                None,
                limits.forecast_horizon,
                forecast.closed,
                source,
            )
        )
        summary = f"KV {usage:.0%}, full {_when(forecast)} ({forecast.word})"
    return Finding(
        "kv_exhaustion_forecast",
        hot=probability >= limits.forecast_probability,
        cool=probability < limits.forecast_clear,
        for_s=situation.interval_s / 2,
        keep_s=limits.forecast_keep,
        severity=Severity.NOTICE,
        summary=summary,
        evidence=tuple(rows),
    )


def _when(forecast: Forecast) -> str:
    if forecast.seconds is None or forecast.low_s is None or forecast.high_s is None:
        return "not within 2 min"
    low, high = round(forecast.low_s), round(forecast.high_s)
    return f"in {low}-{high} s" if low < high else f"in about {high} s"


def _lasted(window: Window, situation: Situation, threshold: float) -> float:
    return lasted(window, situation, Signal.KV_USAGE, lambda usage: usage >= threshold, PRESSURE_LOOK_BACK_S)


def _usage(usage: float, threshold: float, window_s: float, situation: Situation) -> Evidence:
    source = situation.source(Signal.KV_USAGE)
    return Evidence("kv_usage", usage, "ratio", threshold=threshold, window_s=window_s, source=source)
