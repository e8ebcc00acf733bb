"""One recording under one set of limits: the firings of every rule, and what they are worth against the labels.

The same watch as live, poll by poll; nothing here judges anything that the rules do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from inferguard_core.detect.rules import KINDS
from inferguard_core.frame import Severity
from inferguard_core.watch import EndpointWatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inferguard_core.check.labels import Episode
    from inferguard_core.detect.limits import Limits
    from inferguard_core.poll import Poll, ProofLevel
    from inferguard_core.sources.recording import Header

GRACE_S = 60.0
"""After an episode: an anomaly ends when its cause is surely over."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One stretch in which a rule stood, in the recording's own seconds."""

    onset: float
    """When its evidence began."""
    start: float
    """When it fired."""
    end: float
    alarming: tuple[tuple[float, float], ...] = ()
    """The parts of it at warning or worse: what somebody would have been woken by."""
    worst: Severity = Severity.NOTICE


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """One rule on one recording."""

    kind: str
    firings: tuple[Firing, ...]
    blind: bool
    """This engine does not export what the rule needs, at any time in the recording."""
    episodes: int | None
    """Labelled episodes in which this kind is right; None without labels."""
    met: int | None
    """Those of them that a firing overlaps."""
    missed: int | None
    """Episodes that demand this kind and have no firing of it."""
    lead_s: tuple[float, ...]
    """For each episode that was met: its onset less the first firing in it. Negative: so much later."""
    false_s: float | None
    """Seconds at warning or worse outside every episode, whatever its kinds; None without labels."""

    @property
    def active_s(self) -> float:
        return sum(f.end - f.start for f in self.firings)

    @property
    def alarming_s(self) -> float:
        return sum(end - start for f in self.firings for start, end in f.alarming)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "blind": self.blind,
            "firings": [
                {
                    "onset_t": round(f.onset, 3),
                    "t": round(f.start, 3),
                    "end_t": round(f.end, 3),
                    "worst": f.worst.word,
                }
                for f in self.firings
            ],
            "active_s": round(self.active_s, 3),
            "alarming_s": round(self.alarming_s, 3),
            "episodes": self.episodes,
            "met": self.met,
            "missed": self.missed,
            "lead_s": [round(lead, 3) for lead in self.lead_s],
            "false_s": None if self.false_s is None else round(self.false_s, 3),
        }


@dataclass(slots=True)
class _Open:
    """A firing that goes on."""

    onset: float
    start: float
    worst: Severity
    alarming: list[tuple[float, float]] = field(default_factory=list)
    since: float | None = None
    """When it last became a warning or worse."""

    def closed(self, at: float) -> Firing:
        spans = [*self.alarming, *([(self.since, at)] if self.since is not None else [])]
        return Firing(self.onset, self.start, at, tuple(spans), self.worst)


@dataclass(frozen=True, slots=True)
class Trial:
    """Every rule on one recording."""

    rules: tuple[RuleTrial, ...]
    polls: int
    seconds: float
    engine: str


def trial(
    header: Header,
    polls: Iterable[Poll],
    limits: Limits,
    proof: ProofLevel,
    episodes: Sequence[Episode] | None,
) -> Trial:
    """Play `polls` under `limits`."""
    watch = EndpointWatch(header.endpoint, header.name, header.interval_s, proof, limits)
    opened: dict[str, _Open] = {}
    found: dict[str, list[Firing]] = {kind: [] for kind in KINDS}
    seeing: set[str] = set()
    first: float | None = None
    last = 0.0
    for poll in polls:
        first, last = poll.t if first is None else first, poll.t
        watch.observe(poll)
        seeing |= {kind for kind, finding in watch.findings.items() if not finding.missing}
        _step(watch, poll, opened, found)
    for kind, one in opened.items():
        found[kind].append(one.closed(last))
    rules = tuple(_rule(kind, found[kind], kind not in seeing, episodes) for kind in KINDS)
    engine = watch.seen.reading.engine.value if watch.seen is not None else "unknown"
    return Trial(rules, watch.polls, 0.0 if first is None else last - first, engine)


def _step(watch: EndpointWatch, poll: Poll, opened: dict[str, _Open], found: dict[str, list[Firing]]) -> None:
    active = {a.kind: a for a in watch.anomalies(poll.unix)}
    for kind in opened.keys() - active.keys():
        found[kind].append(opened.pop(kind).closed(poll.t))
    for kind, anomaly in active.items():
        one = opened.get(kind)
        if one is None:
            onset = poll.t - (poll.unix - anomaly.onset_unix)
            one = opened[kind] = _Open(onset, poll.t, anomaly.severity)
        one.worst = max(one.worst, anomaly.severity)
        alarming = anomaly.severity >= Severity.WARNING
        if alarming and one.since is None:
            one.since = poll.t
        elif not alarming and one.since is not None:
            one.alarming.append((one.since, poll.t))
            one.since = None


def _rule(kind: str, firings: Sequence[Firing], blind: bool, episodes: Sequence[Episode] | None) -> RuleTrial:
    plain = RuleTrial(kind, tuple(firings), blind, None, None, None, (), None)
    if episodes is None:
        return plain
    wanted = [e for e in episodes if kind in e.kinds]
    met = [(e, first) for e in wanted if (first := _first_in(e, firings)) is not None]
    spans = [span for f in firings for span in f.alarming]
    return replace(
        plain,
        episodes=len(wanted),
        met=len(met),
        missed=sum(1 for e in wanted if kind in e.demanded and _first_in(e, firings) is None),
        lead_s=tuple(episode.onset - firing.start for episode, firing in met),
        false_s=sum(_outside(span, episodes) for span in spans),
    )


def _first_in(episode: Episode, firings: Sequence[Firing]) -> Firing | None:
    end = episode.end + GRACE_S
    return next((f for f in firings if f.start <= end and f.end >= episode.onset), None)


def _outside(span: tuple[float, float], episodes: Sequence[Episode]) -> float:
    """Seconds of `span` outside every episode and its grace."""
    left = [span]
    for episode in episodes:
        cut = (episode.onset, episode.end + GRACE_S)
        left = [part for one in left for part in _without(one, cut)]
    return sum(end - start for start, end in left)


def _without(span: tuple[float, float], cut: tuple[float, float]) -> list[tuple[float, float]]:
    before = (span[0], min(span[1], cut[0]))
    after = (max(span[0], cut[1]), span[1])
    return [part for part in (before, after) if part[1] > part[0]]
