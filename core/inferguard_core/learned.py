"""What one endpoint has taught us, as a value that outlives the monitor: baselines and how forecasts ended.

Kept apart by model and engine, because another model behind the same address is another normal. Storing it is
the owner's; here it only goes to JSON and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inferguard_core.baselines import BaselineKey, Baselines
from inferguard_core.forecast import Calibration, Forecaster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.detect.limits import Limits
    from inferguard_core.reading import Engine

KEPT = 8
"""Identities of one endpoint; more are not a set of models but a stream of names."""


class Learned:
    """Baselines of the model and engine at hand, and the forecaster of the endpoint."""

    def __init__(self, endpoint: str, limits: Limits) -> None:
        self.endpoint = endpoint
        self.forecaster = Forecaster(limits)
        self.baselines = Baselines(limits)
        self._limits = limits
        self._by_key: dict[str, Baselines] = {}
        self._key = ""

    def identify(self, models: tuple[str, ...], engine: Engine) -> None:
        """Turn to the baselines of these models on this engine; empty ones where it is new."""
        key = str(BaselineKey(self.endpoint, models, engine))
        if key == self._key:
            return
        self._key = key
        known = self._by_key.pop(key, None)
        self.baselines = Baselines(self._limits) if known is None else known
        self._by_key[key] = self.baselines
        while len(self._by_key) > KEPT:
            self._by_key.pop(next(iter(self._by_key)))

    def to_json(self) -> dict[str, Any]:
        """By key, and the endpoint's calibration of forecasts."""
        return {
            "baselines": {key: known.to_json() for key, known in self._by_key.items()},
            "calibration": self.forecaster.calibration.to_json(),
        }

    @classmethod
    def from_json(cls, endpoint: str, data: Mapping[str, Any], limits: Limits) -> Learned:
        """What `to_json` described. Raises ValueError where that is not what `data` is."""
        restored = cls(endpoint, limits)
        baselines, calibration = data.get("baselines"), data.get("calibration")
        if not isinstance(baselines, dict) or not isinstance(calibration, dict):
            raise ValueError(  # noqa: TRY004 -- one error for whatever a store gives back
                "not what was learnt of an endpoint: baselines or calibration are missing"
            )
        restored.forecaster = Forecaster(limits, Calibration.from_json(calibration))
        restored._by_key = {key: Baselines.from_json(one, limits) for key, one in baselines.items()}
        return restored
