"""One endpoint under watch: polls in, events and an EndpointFrame out.

Synchronous and free of clocks and I/O, so that a live monitor, a replay and an evaluation run the same code to
the same result. Findings that a poll cannot support (a failed one, a page that is not to be trusted) change
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inferguard_core.anomalies import AnomalyLife
from inferguard_core.casebook import Casebook
from inferguard_core.counted import counted
from inferguard_core.detect.availability import endpoint_down, engine_restart
from inferguard_core.detect.finding import Finding, Situation
from inferguard_core.detect.onset import GAP_INTERVALS
from inferguard_core.detect.rules import KINDS, RULES
from inferguard_core.engines import EngineReader
from inferguard_core.events import AnomalyEvent, Event, IncidentEvent
from inferguard_core.followup import Followup
from inferguard_core.frame import LOWEST_IS_WORST, Anomaly, Measure, MeasureId, Severity
from inferguard_core.history import Appended, History
from inferguard_core.incidents import IncidentLog
from inferguard_core.learned import Learned
from inferguard_core.measures import measures
from inferguard_core.poll import EndpointFacts, Failure, FailureKind, Poll, ProofLevel
from inferguard_core.reading import Engine, Reading
from inferguard_core.scene import Scene
from inferguard_core.spelled import Spelled
from inferguard_core.trends import TrendRing
from inferguard_core.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.detect.limits import Limits
    from inferguard_core.verdict import Forecast

TRENDS = (
    MeasureId.KV_USAGE,
    MeasureId.WAITING,
    MeasureId.RUNNING,
    MeasureId.TTFT_P95,
    MeasureId.ITL_P95,
    MeasureId.GENERATION_RATE,
    MeasureId.PREFIX_HIT_RATE,
    MeasureId.PREEMPTION_RATE,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest good page, read."""

    poll: Poll
    reading: Reading
    measures: dict[str, Measure]
    window: Window


class EndpointWatch:
    """State of one endpoint; `observe` each poll in order, then read the attributes or build a frame."""

    def __init__(  # noqa: PLR0913, PLR0917 - what identifies an endpoint
        self,
        endpoint: str,
        name: str,
        interval_s: float,
        proof: ProofLevel,
        limits: Limits,
        reader: EngineReader | None = None,
        learned: Learned | None = None,
    ) -> None:
        """State before the first poll.

        `reader` may be shared by endpoints whose pages are alike; what they have in common is kept once.
        `learned` is what an earlier run was taught by this endpoint.
        """
        self.endpoint = endpoint
        self.name = name
        self.interval_s = interval_s
        self.proof = proof
        self.limits = limits
        self.facts = EndpointFacts()
        self.polls = 0
        self.failed_polls = 0
        self.failure: Failure | None = None
        self.newest: Poll | None = None
        self.seen: Seen | None = None
        self.findings: dict[str, Finding] = {}
        self.doubts: tuple[str, ...] = ()
        self.lives = {kind: AnomalyLife(kind) for kind in KINDS}
        self.log = IncidentLog(endpoint, name, limits)
        self.trends = {m: TrendRing(interval_s, lowest=m in LOWEST_IS_WORST) for m in TRENDS}
        self.learned = learned or Learned(endpoint, limits)
        self.forecast: Forecast | None = None
        """Of KV exhaustion, from the newest good page."""
        self.casebook = Casebook(endpoint)
        self.followup = Followup()
        self._good_polls = 0
        self._reader = reader or EngineReader()
        self._history = History()
        self._spelled = Spelled()

    def observe(self, poll: Poll) -> tuple[Event, ...]:
        """Take the next poll; what changed by it."""
        events = self._take(poll)
        return (*events, *self._conclude(poll, events))

    def _take(self, poll: Poll) -> tuple[Event, ...]:
        """Judge the poll; what changed in anomalies and incidents."""
        self.polls += 1
        self.newest = poll
        if poll.facts is not None:
            self.facts = poll.facts
        if poll.simulated:
            self.proof = ProofLevel.SIMULATED
        reading, failure = self._read(poll)
        self.failure = failure
        if reading is None:
            self.failed_polls += 1
            self._good_polls = 0
            return self._settle(poll, [endpoint_down(self.limits, self._situation())], self.interval_s)
        self.failed_polls = 0
        self._good_polls += 1
        observed_s = self._observed(poll)
        appended = self._history.append(poll.t, poll.unix, reading)
        self._spelled.take(poll.t, reading.spellings, restarted=appended.restarted)
        self.doubts = _doubts(reading, appended, poll.lacking)
        self.seen = self._see(poll, reading)
        self.learned.identify(self.models, reading.engine)
        events = self._settle(poll, self._availability(appended), observed_s)
        return (*events, *self._judge(self.seen, observed_s))

    @property
    def models(self) -> tuple[str, ...]:
        """Served models: from the page, else from what the endpoint's other routes said."""
        named = self.seen.reading.models if self.seen is not None else ()
        return named or tuple(card.name for card in self.facts.models)

    def refuse(self, failure: Failure) -> None:
        """Count a page that could not be judged as a failed poll."""
        self.failure = failure
        self.failed_polls += 1
        self._good_polls = 0

    def anomalies(self, unix: float) -> tuple[Anomaly, ...]:
        """Firing and recovering ones, worst first, then by onset."""
        active = [life.anomaly(unix, self.limits) for life in self.lives.values() if life.active]
        return tuple(sorted(active, key=lambda a: (-a.severity, a.onset_unix, a.kind)))

    def _read(self, poll: Poll) -> tuple[Reading | None, Failure | None]:
        if poll.body is None:
            return None, poll.failure
        reading = self._reader.read(poll.body, self.facts.version)
        if reading.engine is Engine.UNKNOWN:
            why = reading.doubts[0] if reading.doubts else "no vLLM or SGLang metrics on this page"
            return None, Failure(FailureKind.NOT_METRICS, why)
        newest = self._history.newest
        if newest is not None and poll.t <= newest.t:
            return None, Failure(
                FailureKind.NOT_METRICS, f"time went back from {newest.t:.1f} to {poll.t:.1f} s"
            )
        return reading, None

    def _observed(self, poll: Poll) -> float:
        newest = self._history.newest
        if newest is None:
            return self.interval_s
        elapsed = poll.t - newest.t
        return elapsed if elapsed <= GAP_INTERVALS * self.interval_s else self.interval_s

    def _see(self, poll: Poll, reading: Reading) -> Seen:
        newest = self._history.newest
        assert newest is not None
        window = Window(self._history, newest)
        shown = measures(window, reading, self.limits)
        for measure, ring in self.trends.items():
            ring.push(poll.unix, shown[measure].value)
        return Seen(poll, reading, shown, window)

    def _availability(self, appended: Appended) -> list[Finding]:
        situation = self._situation(appended)
        return [endpoint_down(self.limits, situation), engine_restart(self.limits, situation)]

    def _judge(self, seen: Seen, observed_s: float) -> tuple[Event, ...]:
        """Run the window rules, each seeing which kinds fire by now."""
        if self.lives["endpoint_down"].active:
            return ()
        self.forecast = self.learned.forecaster.observe(seen.window, self.interval_s)
        situation = self._situation()
        events: list[Event] = []
        for rule in RULES:
            told = self._settle(seen.poll, [rule.find(seen.window, self.limits, situation)], observed_s)
            if told:
                events.extend(told)
                situation = replace(situation, active=_active(self.lives))
        self.log.peak(seen.window, seen.measures, seen.poll.unix)
        self._learn(seen.window)
        return tuple(events)

    def _conclude(self, poll: Poll, changes: Sequence[Event]) -> tuple[Event, ...]:
        """What the open incident comes from and calls for, as of this poll."""
        incident, seen = self.log.open, self.seen
        if incident is None:
            return ()
        scene = Scene(
            endpoint=self.endpoint,
            unix=poll.unix,
            window=None if seen is None else seen.window,
            reading=None if seen is None else seen.reading,
            situation=self._situation(),
            findings=self.findings,
            anomalies=self.anomalies(poll.unix),
            incident=incident,
            limits=self.limits,
            facts=self.facts,
            forecast=self.forecast,
        )
        return self.casebook.update(scene, poll.t, changes)

    def _settle(self, poll: Poll, findings: Sequence[Finding], observed_s: float) -> tuple[Event, ...]:
        """Let findings change the lives of their anomalies, and those the incident."""
        changed: list[AnomalyLife] = []
        for finding in findings:
            self.findings[finding.kind] = finding
            life = self.lives[finding.kind]
            was_active = life.active
            if life.step(finding, poll.unix, observed_s) and (was_active or life.active):
                changed.append(life)
        if not changed:
            return ()
        told = [life.anomaly(poll.unix, self.limits) for life in changed]
        incident = self.log.update(self.anomalies(poll.unix), told, poll.unix)
        last = self.log.incidents[-1] if self.log.incidents else None
        for life in changed:
            life.incident_id = (
                last.id if last is not None and (incident is not None or self.log.open) else None
            )
        events: list[Event] = [
            AnomalyEvent(poll.t, poll.unix, self.endpoint, life.anomaly(poll.unix, self.limits))
            for life in changed
        ]
        if incident is not None:
            events.append(IncidentEvent(poll.t, self.endpoint, incident))
        return tuple(events)

    def _situation(self, appended: Appended | None = None) -> Situation:
        reading = self.seen.reading if self.seen is not None else None
        newest = self._history.newest
        since = (newest.t if newest is not None else 0.0) - self.limits.restart_twice_within
        return Situation(
            engine=reading.engine if reading is not None else Engine.UNKNOWN,
            interval_s=self.interval_s,
            models=self.models,
            failed_polls=self.failed_polls,
            good_polls=self._good_polls,
            failure=self.failure,
            restarted=appended is not None and appended.restarted,
            running_before=appended.running_before if appended is not None else None,
            restarts_recent=sum(1 for t in self._history.restarts if t > since),
            active=_active(self.lives),
            baselines=self.learned.baselines.by_name,
            spellings=self._spelled.names,
            ranks=reading.ranks if reading is not None else {},
            forecast=self.forecast,
        )

    def _learn(self, window: Window) -> None:
        """Let the baselines learn, where nothing troubles what they are learnt from."""
        troubled = frozenset(
            kind for kind, life in self.lives.items() if life.active or self.findings[kind].hot
        )
        critical = any(life.active and life.severity is Severity.CRITICAL for life in self.lives.values())
        self.learned.baselines.learn(window, troubled, critical=critical)


def _active(lives: Mapping[str, AnomalyLife]) -> frozenset[str]:
    return frozenset(kind for kind, life in lives.items() if life.active)


def _doubts(reading: Reading, appended: Appended, lacking: str) -> tuple[str, ...]:
    doubts = list(reading.doubts)
    if lacking:
        doubts.append(f"the server runs without {lacking}: only its queue and KV pool are known")
    if reading.bad_lines:
        doubts.append(f"{counted(reading.bad_lines, 'line is', 'lines are')} not exposition text")
    if appended.fell:
        doubts.append(f"fell without a restart: {', '.join(appended.fell)}")
    if appended.leapt:
        doubts.append(f"larger than any engine counts: {', '.join(appended.leapt)}")
    if appended.clock_jump_s:
        doubts.append(f"wall clock moved by {appended.clock_jump_s:+.0f} s")
    return tuple(doubts)
