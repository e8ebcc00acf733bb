"""Investigations of one endpoint by calculation: when one is due, what it said, and which of it is news.

The same for a live endpoint and a recording, and free of clocks, so that a replay tells what the monitor told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.investigate import investigate
from inferguard_core.brain_context import brain_context
from inferguard_core.brain_result import brain_result
from inferguard_core.events import AdvisoryEvent
from inferguard_core.frame import Severity

if TYPE_CHECKING:
    from inferguard_core.followup import BrainAdvisory, BrainResult
    from inferguard_core.watch import EndpointWatch

RETOLD_S: Final = 300.0
"""An advisory that was away for less is not told again."""


class Lookout:
    """Looks ahead for one endpoint every `every` polls, and with the first poll of an incident; 0 is never."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._looked_at = 0
        self._incident: str | None = None
        self._told: dict[tuple[str, str], float] = {}

    def due(self, watch: EndpointWatch) -> bool:
        """Whether this poll calls for an investigation; asked once a poll."""
        if not self._every:
            return False
        opened = watch.log.open is not None and watch.log.open.id != self._incident
        self._incident = watch.log.open.id if watch.log.open is not None else None
        return opened or watch.polls - self._looked_at >= self._every

    def after(self, watch: EndpointWatch) -> tuple[AdvisoryEvent, ...]:
        """Investigate if the poll just taken calls for it; what is news."""
        return self.news(watch, self.look(watch)) if self.due(watch) else ()

    def look(self, watch: EndpointWatch) -> BrainResult:
        """Investigate by rules, as of the newest poll, and leave the result where frames take it from."""
        self._looked_at = watch.polls
        assert watch.newest is not None
        told = brain_context(watch, watch.newest.unix, watch.followup.similar, host_names=True)
        found = investigate(told)
        watch.followup.brain = result_for(watch, found)
        return watch.followup.brain

    def news(self, watch: EndpointWatch, result: BrainResult) -> tuple[AdvisoryEvent, ...]:
        """What it says that it did not say lately."""
        newest = watch.newest
        assert newest is not None
        fresh = []
        for one in result.advisories:
            last = self._told.get(_key(one))
            self._told[_key(one)] = newest.t
            if last is None or newest.t - last > RETOLD_S:
                fresh.append(AdvisoryEvent(newest.t, watch.endpoint, one))
        self._told = {key: t for key, t in self._told.items() if newest.t - t <= RETOLD_S}
        return tuple(fresh)


def result_for(watch: EndpointWatch, answer: dict[str, Any], asked_about: str = "") -> BrainResult:
    """A brain's answer about `watch`, checked, as of its newest poll; `asked_about` as in `brain_result`."""
    assert watch.newest is not None
    unix = watch.newest.unix
    incident = watch.log.open
    severity = max((a.severity for a in watch.anomalies(unix)), default=Severity.OK)
    concluded = watch.casebook.diagnosis if incident is not None else None
    return brain_result(answer, unix, concluded, severity, asked_about)


def _key(advisory: BrainAdvisory) -> tuple[str, str]:
    return advisory.advisory_type, advisory.evidence[0].signal if advisory.evidence else ""
