"""The life of one anomaly: ok → pending → firing → recovering → ok.

Time is observed time: a gap in the data holds every timer, so a rule means the same at 1 s and at 30 s and
through an outage. Severity rises at once and falls one step per keep time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.frame import Anomaly, AnomalyState, Severity

if TYPE_CHECKING:
    from inferguard_core.detect.finding import Finding
    from inferguard_core.detect.limits import Limits
    from inferguard_core.verdict import Evidence

ACTIVE = (AnomalyState.FIRING, AnomalyState.RECOVERING)


@dataclass(slots=True)
class AnomalyLife:
    """State of one kind on one endpoint. `step` takes a finding; `anomaly` says what to show."""

    kind: str
    state: AnomalyState = AnomalyState.OK
    severity: Severity = Severity.OK
    summary: str = ""
    evidence: tuple[Evidence, ...] = ()
    onset_unix: float = 0.0
    since_unix: float = 0.0
    incident_id: str | None = None
    changes: list[float] = field(default_factory=list)
    """Unix times of firing and ending, for flapping."""
    _held: float = 0.0
    _milder: float = 0.0

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    def step(self, finding: Finding, unix: float, observed_s: float) -> bool:
        """Take one finding, `observed_s` of data after the last one; True when state or severity changed.

        An unknown finding holds everything.
        """
        before = (self.state, self.severity)
        if finding.hot is None:
            return False
        if finding.hot:
            self._hot(finding, unix, observed_s)
        elif self.state is AnomalyState.PENDING:
            self.state = AnomalyState.OK
        elif self.active:
            self._not_hot(finding, unix, observed_s)
        return (self.state, self.severity) != before

    def flapping(self, now_unix: float, limits: Limits) -> bool:
        self.changes = [u for u in self.changes if u > now_unix - limits.flap_window]
        return len(self.changes) >= limits.flap_changes

    def anomaly(self, now_unix: float, limits: Limits) -> Anomaly:
        return Anomaly(
            kind=self.kind,
            state=self.state,
            severity=self.severity,
            summary=self.summary,
            onset_unix=self.onset_unix,
            since_unix=self.since_unix,
            evidence=self.evidence,
            incident_id=self.incident_id,
            flapping=self.flapping(now_unix, limits),
        )

    def _hot(self, finding: Finding, unix: float, observed_s: float) -> None:
        self.summary, self.evidence = finding.summary, finding.evidence
        if self.state is AnomalyState.OK:
            self.state = AnomalyState.PENDING
            self.onset_unix = unix - finding.since_s
            self._held = finding.held_s
        elif self.state is AnomalyState.PENDING:
            self._held += observed_s
        if self.state is AnomalyState.PENDING:
            if self._held >= finding.for_s:
                self._fire(finding.severity, unix)
            return
        self.state = AnomalyState.FIRING
        self._weigh(finding, observed_s)

    def _fire(self, severity: Severity, unix: float) -> None:
        self.state = AnomalyState.FIRING
        self.severity = severity
        self.since_unix = unix
        self.changes.append(unix)
        self._held = self._milder = 0.0

    def _weigh(self, finding: Finding, observed_s: float) -> None:
        if finding.severity >= self.severity:
            self.severity = finding.severity
            self._milder = 0.0
            return
        self._milder += observed_s
        if self._milder >= finding.keep_s:
            self.severity = Severity(self.severity - 1)
            self._milder = 0.0

    def _not_hot(self, finding: Finding, unix: float, observed_s: float) -> None:
        if not finding.cool:
            self._held = 0.0
            return
        if self.state is AnomalyState.FIRING:
            self.state = AnomalyState.RECOVERING
            self._held = 0.0
        else:
            self._held += observed_s
        if self._held >= finding.keep_s:
            self.state, self.severity = AnomalyState.OK, Severity.OK
            self.changes.append(unix)
