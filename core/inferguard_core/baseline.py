"""What is normal for one number of one endpoint, learnt from health only.

The owner stops calling `learn` while an anomaly on the signal is active. A baseline is not trusted early, so
that a monitor started in mid-incident does not take the incident for normal.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from inferguard_core.robust import mad, robust_z

KEPT = 360
"""Half an hour at the slow spacing."""
FAST_SPACING_S = 1.0
SLOW_SPACING_S = 5.0


class Baseline:
    """Median and MAD of healthy samples; at most `KEPT` of them, the newest."""

    def __init__(self, min_samples: float, min_seconds: float) -> None:
        self._min_samples = min_samples
        self._min_seconds = min_seconds
        self._samples: deque[float] = deque(maxlen=KEPT)
        self._last: float | None = None
        self._learnt_s = 0.0
        self._summary: tuple[float, float] | None = None

    @property
    def trusted(self) -> bool:
        return len(self._samples) >= self._min_samples or (
            len(self._samples) >= 2 and self._learnt_s >= self._min_seconds
        )

    @property
    def progress(self) -> str:
        """`learning 40/60` until trusted, then empty."""
        return "" if self.trusted else f"learning {len(self._samples)}/{self._min_samples:.0f}"

    def learn(self, t: float, value: float) -> None:
        """Take one healthy sample at monotonic `t`; samples too close together are left out."""
        spacing = SLOW_SPACING_S if self.trusted else FAST_SPACING_S
        if self._last is not None:
            if t - self._last < spacing * 0.9:
                return
            self._learnt_s += min(t - self._last, self._min_seconds / 5)
        self._last = t
        self._samples.append(value)
        self._summary = None

    @property
    def centre(self) -> float | None:
        """Median of the healthy samples, None until trusted."""
        return self._stats()[0] if self.trusted else None

    def z(self, value: float, floor: float) -> float | None:
        """Robust distance of `value` from the centre, None until trusted."""
        if not self.trusted:
            return None
        centre, spread = self._stats()
        return robust_z(value, centre, spread, floor)

    def _stats(self) -> tuple[float, float]:
        if self._summary is None:
            centre = median(self._samples)
            self._summary = centre, mad(list(self._samples), centre)
        return self._summary
