"""What is normal for one number of one endpoint, learnt from health only.

The owner stops calling `learn` while an anomaly on the number is pending or active. A baseline is not trusted
early, so that a monitor started in mid-incident does not take the incident for normal.
"""

from __future__ import annotations

from collections import deque
from math import isfinite
from typing import TYPE_CHECKING, Any

from inferguard_core.robust import SPREAD_OF_NORMAL, robust_z, weighted_median

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = 360
"""Half an hour at the slow spacing."""
FAST_SPACING_S = 1.0
SLOW_SPACING_S = 5.0
"""Samples are statistics of windows of at least three times this. Nearer ones overlap and say little new, so one
that comes this late counts as much as those a faster poll would have taken meanwhile."""
HIGH_SHARE = 0.95


class Baseline:
    """Median and MAD of healthy samples; at most `KEPT` of them, the newest.

    A sample has a weight: a hit rate of many tokens says more than one of few. Numbers of one kind weigh 1.
    """

    def __init__(self, min_samples: float, min_seconds: float) -> None:
        self._min_samples = min_samples
        self._min_seconds = min_seconds
        self._samples: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._last: float | None = None
        self._learnt_s = 0.0
        self._counted = 0.0
        self._summary: tuple[float, float] | None = None
        self._high: float | None = None

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def trusted(self) -> bool:
        return self._counted >= self._min_samples or (
            len(self._samples) >= 2 and self._learnt_s >= self._min_seconds
        )

    @property
    def progress(self) -> str:
        """`learning 40/60` until trusted, then empty. Samples count as at one poll a second."""
        return "" if self.trusted else f"learning {self._counted:.0f}/{self._min_samples:.0f}"

    def due(self, t: float) -> bool:
        """Whether a sample at monotonic `t` would be taken: those too close together are left out."""
        spacing = SLOW_SPACING_S if self.trusted else FAST_SPACING_S
        return self._last is None or t - self._last >= spacing * 0.9

    def learn(self, t: float, value: float, weight: float = 1.0) -> None:
        """Take one healthy sample at monotonic `t`, if it is due and weighs anything."""
        if not self.due(t) or not isfinite(value) or not 0.0 < weight < float("inf"):
            return
        since = FAST_SPACING_S if self._last is None else t - self._last
        self._counted += min(max(1.0, since / FAST_SPACING_S), SLOW_SPACING_S / FAST_SPACING_S)
        if self._last is not None:
            self._learnt_s += min(since, self._min_seconds / 5)
        self._last = t
        self._samples.append((value, weight))
        self._summary = self._high = None

    @property
    def centre(self) -> float | None:
        """Median of the healthy samples, None until trusted."""
        return self._stats()[0] if self.trusted else None

    @property
    def spread(self) -> float | None:
        """Their MAD as a normal's standard deviation, None until trusted."""
        return self._stats()[1] if self.trusted else None

    @property
    def high(self) -> float | None:
        """What one healthy sample in twenty reaches, None until trusted.

        The median knows no gusts and no busy hour: that both come and go is normal as well.
        """
        if not self.trusted:
            return None
        if self._high is None:
            values = sorted(value for value, _ in self._samples)
            self._high = values[int(HIGH_SHARE * (len(values) - 1))]
        return self._high

    def z(self, value: float, floor: float) -> float | None:
        """Robust distance of `value` from the centre, None until trusted."""
        if not self.trusted:
            return None
        centre, spread = self._stats()
        return robust_z(value, centre, spread, floor)

    def to_json(self) -> dict[str, Any]:
        """What a store keeps; `from_json` gives the same baseline back, but for the instant of its last sample."""
        samples = [[v, w] for v, w in self._samples]
        return {"samples": samples, "learnt_s": self._learnt_s, "counted": self._counted}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], min_samples: float, min_seconds: float) -> Baseline:
        """The baseline that `to_json` described. Raises ValueError where that is not what `data` is."""
        restored = cls(min_samples, min_seconds)
        try:
            pairs = [(float(value), float(weight)) for value, weight in data["samples"]]
            learnt_s = float(data["learnt_s"])
            counted = float(data.get("counted", len(pairs)))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"not a baseline: {error!r}") from error
        if not all(isfinite(v) and isfinite(w) and w > 0.0 for v, w in pairs) or not isfinite(
            learnt_s + counted
        ):
            raise ValueError("not a baseline: a sample is not a finite number of positive weight")
        restored._samples.extend(pairs)
        restored._learnt_s = max(0.0, learnt_s)
        restored._counted = max(0.0, counted)
        return restored

    def _stats(self) -> tuple[float, float]:
        if self._summary is None:
            centre = weighted_median(self._samples)
            distances = [(abs(v - centre), w) for v, w in self._samples]
            self._summary = centre, SPREAD_OF_NORMAL * weighted_median(distances)
        return self._summary
