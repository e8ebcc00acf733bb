"""Whether the endpoint is there at all, and whether it is still the same process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.detect.finding import Finding, Situation
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits


def endpoint_down(limits: Limits, situation: Situation) -> Finding:
    """Failed polls in a row. One miss proves nothing: a flooded API server misses a scrape and lives."""
    failure = situation.failure
    failed = situation.failed_polls
    row = Evidence("failed_polls", float(failed), "1", limits.down_polls)
    return Finding(
        "endpoint_down",
        hot=failed >= limits.down_polls,
        cool=situation.good_polls >= limits.up_polls,
        for_s=0.0,
        keep_s=0.0,
        severity=Severity.CRITICAL,
        summary=f"no data, {counted(failed, 'poll')} failed: {failure.message}"
        if failure
        else "answers again",
        evidence=(row,),
        since_s=max(0, failed - 1) * situation.interval_s,
    )


def engine_restart(limits: Limits, situation: Situation) -> Finding:
    """The first reading of a new process. What the old one was running then is lost."""
    lost = situation.running_before or 0.0
    again = situation.restarts_recent >= 2
    summary = "engine restarted" + (f", {counted(lost, 'running request')} lost" if lost else "")
    if again:
        summary += f", {situation.restarts_recent} times in {limits.restart_twice_within / 60:.0f} min"
    source = situation.source(Signal.PROCESS_START) or "counters fell"
    return Finding(
        "engine_restart",
        hot=situation.restarted,
        cool=not situation.restarted,
        for_s=0.0,
        keep_s=limits.restart_keep,
        severity=Severity.CRITICAL if lost or again else Severity.WARNING,
        summary=summary,
        evidence=(Evidence("restarts", float(situation.restarts_recent), "1", 1.0, source=source),),
    )
