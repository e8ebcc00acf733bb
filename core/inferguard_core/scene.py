"""All that diagnosis, advice and impact may look at: one endpoint at one poll, already judged by the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.poll import EndpointFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.detect.finding import Finding, Situation
    from inferguard_core.detect.limits import Limits
    from inferguard_core.frame import Anomaly, Incident
    from inferguard_core.reading import Reading
    from inferguard_core.verdict import Forecast
    from inferguard_core.window import Window


@dataclass(frozen=True, slots=True)
class Scene:
    endpoint: str
    unix: float
    window: Window | None
    """None while there is no good page; causes then rest on availability alone."""
    reading: Reading | None
    situation: Situation
    findings: Mapping[str, Finding]
    """The newest of each kind, hot or not."""
    anomalies: tuple[Anomaly, ...]
    """Firing and recovering."""
    incident: Incident
    limits: Limits
    facts: EndpointFacts = field(default_factory=EndpointFacts)
    forecast: Forecast | None = None
    """Of KV exhaustion, where one stands."""
    at_onset: Mapping[str, float] = field(default_factory=dict)
    """`Reading.values` as they stood when the incident opened: the base for counters that no window keeps."""
