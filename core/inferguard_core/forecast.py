"""When the KV pool would be full if it went on like this, and how often such words came true here.

Two estimates, and the earlier of those that pass their test stands. The trend of the usage itself is right for
ramps; the growth of what decodes sees a pool fill up while its usage is still low, where the pool's size is known.
A forecast promises no further than three times the seconds it was fitted to. Its probability is a raw share until
enough forecasts of this endpoint have closed; then it is how often such a share came true.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, NamedTuple

from inferguard_core.load import generated, mean_of, tokens_per_running
from inferguard_core.robust import pairwise_slopes
from inferguard_core.signals import Signal
from inferguard_core.verdict import Forecast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

FIT_S = 20.0
COARSE_FIT_S = 30.0
"""At polls of 4 s and more, 20 s would hold too few of them."""
COARSE_INTERVAL_S = 4.0
MIN_POINTS = 4
PROMISE = 3.0
"""Of the fitted seconds."""
FAR_S = 120.0
"""Whatever the fit: beyond it is only said that it is not near."""
FULL = 0.97
"""Usage from which a pool counts as exhausted: the last blocks fit no request."""
GROWTH_MIN_USAGE = 0.3
GROWTH_PARTS = 4
BINS = 5
CALIBRATED_FROM = 20
LIKELY, POSSIBLE = 0.7, 0.3


class Estimate(NamedTuple):
    """One way of telling, in usage per second."""

    basis: str
    slope: float
    low: float
    """35th percentile of the slopes it rests on."""
    high: float
    """65th percentile."""
    probability: float
    """Share of those slopes that would fill the pool within the horizon."""
    fit_s: float


@dataclass(slots=True)
class Calibration:
    """Outcomes of closed forecasts by what they said; Beta(1,1) smooths the empty bins."""

    came: list[int] = field(default_factory=lambda: [0] * BINS)
    closed: list[int] = field(default_factory=lambda: [0] * BINS)

    @property
    def total(self) -> int:
        return sum(self.closed)

    def close(self, said: float, *, came: bool) -> None:
        self.closed[_bin(said)] += 1
        self.came[_bin(said)] += came

    def probability(self, said: float) -> float:
        """How often what was said in this way came true; what is said itself until enough is known."""
        if self.total < CALIBRATED_FROM:
            return said
        return (1 + self.came[_bin(said)]) / (2 + self.closed[_bin(said)])

    def to_json(self) -> dict[str, Any]:
        return {"came": list(self.came), "closed": list(self.closed)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """What `to_json` described. Raises ValueError where that is not what `data` is."""
        try:
            came, closed = [int(n) for n in data["came"]], [int(n) for n in data["closed"]]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"not a calibration: {error!r}") from error
        if (
            len(came) != BINS
            or len(closed) != BINS
            or any(not 0 <= a <= b for a, b in zip(came, closed, strict=True))
        ):
            raise ValueError("not a calibration: its bins do not fit")
        return cls(came, closed)


class Open(NamedTuple):
    """A forecast whose outcome is not known yet."""

    said: float
    until: float
    preemptions: float | None


class Forecaster:
    """Makes the forecast of each poll and remembers how they ended."""

    def __init__(self, limits: Limits, calibration: Calibration | None = None) -> None:
        self.calibration = calibration or Calibration()
        self._limits = limits
        self._open: Open | None = None
        self._rising: dict[str, float] = {}
        """When an estimate last passed its test, by basis."""

    def observe(self, window: Window, interval_s: float) -> Forecast | None:
        """The forecast as of this poll; None where nothing points to a full pool, or it is full already."""
        usage = window.latest(Signal.KV_USAGE)
        if usage is None:
            return None
        self._close(window, usage)
        if usage >= FULL:
            self._rising.clear()
            return None
        standing = [e for e in self._estimates(window, interval_s) if self._twice(e, window.now, interval_s)]
        if not standing:
            return None
        best = max(standing, key=lambda e: e.slope)
        if self._open is None:
            until = window.now + self._limits.forecast_horizon
            self._open = Open(best.probability, until, window.latest(Signal.PREEMPTIONS))
        return self._told(best, usage)

    def _estimates(self, window: Window, interval_s: float) -> list[Estimate]:
        fit = COARSE_FIT_S if interval_s >= COARSE_INTERVAL_S else FIT_S
        horizon = self._limits.forecast_horizon
        points = window.points(Signal.KV_USAGE, fit)
        if not points or points[-1][1] < GROWTH_MIN_USAGE or len(points) < MIN_POINTS:
            return []
        if points[-1][1] <= points[0][1]:
            return []
        slopes = pairwise_slopes(points)
        if not slopes or points[-1][0] - points[0][0] < fit / 2:
            return []
        level = median(value for _, value in points[-3:])
        trend = _estimate("trend", slopes, level, horizon, fit)
        found = [trend] if level >= self._limits.forecast_min_usage and trend.low > 0 else []
        if trend.slope > 0 and (growths := _growths(window, fit)):
            growth = _estimate("decode_growth", growths, level, horizon, fit)
            found += [growth] if growth.low > 0 else []
        return found

    def _twice(self, estimate: Estimate, now: float, interval_s: float) -> bool:
        """Whether the estimate passed its test at the poll before as well."""
        before = self._rising.get(estimate.basis)
        self._rising[estimate.basis] = now
        return before is not None and now - before <= 2.5 * interval_s

    def _close(self, window: Window, usage: float) -> None:
        forecast = self._open
        if forecast is None:
            return
        preempted = window.latest(Signal.PREEMPTIONS)
        came = usage >= FULL or (
            preempted is not None and forecast.preemptions is not None and preempted > forecast.preemptions
        )
        if came or window.now >= forecast.until:
            self.calibration.close(forecast.said, came=came)
            self._open = None

    def _told(self, best: Estimate, usage: float) -> Forecast:
        promise = min(PROMISE * best.fit_s, FAR_S)
        seconds = (1.0 - usage) / best.slope
        near = seconds <= promise
        probability = self.calibration.probability(best.probability)
        return Forecast(
            usage=usage,
            slope=best.slope,
            seconds=seconds if near else None,
            low_s=(1.0 - usage) / best.high if near else None,
            high_s=min(FAR_S, (1.0 - usage) / best.low) if near else None,
            probability=probability,
            word=_word(probability, self.calibration.total),
            basis=best.basis,
            fit_s=best.fit_s,
            closed=self.calibration.total,
        )


def _estimate(basis: str, slopes: Sequence[float], level: float, horizon: float, fit_s: float) -> Estimate:
    cuts = quantiles(slopes, n=20, method="inclusive") if len(slopes) > 1 else [slopes[0]] * 19
    needed = (1.0 - level) / horizon
    share = sum(1 for s in slopes if s >= needed) / len(slopes)
    return Estimate(basis, median(slopes), cuts[6], cuts[12], share, fit_s)


def _growths(window: Window, fit_s: float) -> list[float]:
    """Usage per second that decoding and prefill add less what completions free, over parts of the fit.

    A request frees what it holds at its end: its mean length where that is counted, not the smaller amount that
    a running one holds on average.
    """
    capacity = window.latest(Signal.KV_CAPACITY_TOKENS)
    held = tokens_per_running(window, fit_s)
    if not capacity or held is None:
        return []
    lengths = [
        mean_of(window, s, 300.0) for s in (Signal.REQUEST_PROMPT_TOKENS, Signal.REQUEST_GENERATION_TOKENS)
    ]
    freed = max(held, sum(n for n in lengths if n is not None))
    found = []
    for part in range(1, GROWTH_PARTS + 1):
        seconds = fit_s * part / GROWTH_PARTS
        made, finished = generated(window, seconds), window.rate(Signal.FINISHED, seconds)
        if made is None or finished is None:
            return []
        computed = window.rate(Signal.PROMPT_TOKENS_COMPUTED, seconds) or 0.0
        found.append((made.rate + computed - finished * freed) / capacity)
    return [g for g in found if isfinite(g)]


def _bin(said: float) -> int:
    return min(BINS - 1, max(0, int(said * BINS)))


def _word(probability: float, closed: int) -> str:
    if closed < CALIBRATED_FROM:
        return "uncalibrated"
    if probability >= LIKELY:
        return "likely"
    return "possible" if probability >= POSSIBLE else "unlikely"
