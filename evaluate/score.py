"""One watched run against its labels: what was found, how late, how it was explained and what was advised.

Works on the JSON form of events, as `replay --json` prints them, so that anything that prints them can be scored.
An alarm is a stretch in which a kind stands at warning or worse. It belongs to an episode when the two overlap,
with a minute of grace at the end; an alarm that belongs to none is false. Nothing is adjusted point by point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Event = dict[str, Any]
GRACE_S = 60.0
ALARMING = frozenset({"warning", "critical"})
ACTIVE = frozenset({"firing", "recovering"})
NO_ANSWER = "(none)"


class Alarm(NamedTuple):
    kind: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class EpisodeScore:
    """One labelled stretch of trouble."""

    cause: tuple[str, ...]
    """Accepted causes; empty where the label names none."""
    groups: int
    groups_found: int
    found: bool
    delay_s: float | None
    """From onset to the first alarm that fits; None when there was none."""
    said: str | None
    """The last diagnosis while it lasted; None where there was none, or nothing to judge."""
    right_at_1: bool
    right_at_3: bool
    judges_action: bool
    first_action: str | None
    action_right: bool
    duplicates: int
    """Incidents beyond the first."""
    missed: tuple[str, ...] = ()
    """Groups of kinds that were demanded and not raised."""
    beside: tuple[str, ...] = ()
    """Kinds at warning or worse that the label holds neither demanded nor true."""


@dataclass(frozen=True, slots=True)
class RunScore:
    """One run at one interval."""

    episodes: tuple[EpisodeScore, ...] = ()
    false_alarms: tuple[Alarm, ...] = ()
    healthy_s: float = 0.0
    """Seconds outside every episode and its grace."""
    ended_s: float = 0.0
    notes: tuple[str, ...] = field(default=())


def alarms(events: Iterable[Event], ended_s: float) -> list[Alarm]:
    """Each stretch of a kind at warning or worse; what still stands ends with the run."""
    begun: dict[str, float] = {}
    found: list[Alarm] = []
    for event in events:
        if event.get("event") != "anomaly":
            continue
        kind = str(event["kind"])
        bad = event.get("severity") in ALARMING and event.get("state") in ACTIVE
        if bad and kind not in begun:
            begun[kind] = event["t"]
        elif not bad and kind in begun:
            found.append(Alarm(kind, begun.pop(kind), event["t"]))
    found += [Alarm(kind, start, ended_s) for kind, start in begun.items()]
    return sorted(found, key=lambda alarm: alarm.start)


def score_run(events: Sequence[Event], labels: Mapping[str, Any], ended_s: float) -> RunScore:
    """`labels` has `episodes` as in a labels file, and may have `harmless`: stretches that are not judged."""
    raised = alarms(events, ended_s)
    episodes, harmless = labels.get("episodes", []), labels.get("harmless", [])
    judged = [*episodes, *harmless]
    false = tuple(alarm for alarm in raised if not any(_overlaps(alarm, episode) for episode in judged))
    return RunScore(
        episodes=tuple(_score(episode, events, raised) for episode in episodes),
        false_alarms=false,
        healthy_s=ended_s - _covered(judged, ended_s),
        ended_s=ended_s,
    )


def _score(episode: Mapping[str, Any], events: Sequence[Event], raised: Sequence[Alarm]) -> EpisodeScore:
    onset, until = episode["onset"], episode["end"] + GRACE_S
    inside = [alarm for alarm in raised if _overlaps(alarm, episode)]
    groups = [frozenset(group) for group in episode["kinds"]]
    accepted = frozenset().union(*groups, episode.get("also", []))
    fitting = [alarm for alarm in inside if alarm.kind in accepted]
    kinds = {alarm.kind for alarm in inside}
    during = [event for event in events if onset <= event.get("t", -1.0) <= until]
    causes = tuple(episode.get("cause", []))
    ranked = _ranked([event for event in during if event["event"] == "diagnosis"]) if causes else []
    acts = [event["action_type"] for event in during if event["event"] == "action"]
    allowed = episode.get("actions", [])
    incidents = {event["incident_id"] for event in during if event["event"] == "incident"}
    return EpisodeScore(
        cause=causes,
        groups=len(groups),
        groups_found=sum(1 for group in groups if group & kinds),
        found=bool(fitting),
        delay_s=max(0.0, min(alarm.start for alarm in fitting) - onset) if fitting else None,
        said=ranked[0] if ranked else None,
        right_at_1=bool(ranked) and ranked[0] in causes,
        right_at_3=any(cause in causes for cause in ranked[:3]),
        judges_action="actions" in episode,
        first_action=acts[0] if acts else None,
        action_right=(acts[0] if acts else "none") in allowed,
        duplicates=max(0, len(incidents) - 1),
        missed=tuple("|".join(sorted(group)) for group in groups if not group & kinds),
        beside=tuple(sorted(kinds - accepted)),
    )


def _ranked(diagnoses: Sequence[Event]) -> list[str]:
    """The answer of the last diagnosis first, then the rest of its ranking."""
    if not diagnoses:
        return []
    last = diagnoses[-1]
    others = [str(entry["cause"]) for entry in last.get("ranked", [])]
    return (
        list(dict.fromkeys([str(last["cause"]), *others]))
        if last["cause"] != "unclear"
        else [
            "unclear",
            *others[:2],
        ]
    )


def _overlaps(alarm: Alarm, episode: Mapping[str, Any]) -> bool:
    return bool(alarm.start <= episode["end"] + GRACE_S and alarm.end >= episode["onset"])


def _covered(episodes: Sequence[Mapping[str, Any]], ended_s: float) -> float:
    """Seconds that the episodes and their grace cover together, counted once."""
    total = reached = 0.0
    for start, end in sorted((e["onset"], min(e["end"] + GRACE_S, ended_s)) for e in episodes):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
