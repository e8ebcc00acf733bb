"""What a person says of an incident stands in it and in its timeline."""

from __future__ import annotations

from inferguard_core.detect.limits import Limits
from inferguard_core.frame import Anomaly, AnomalyState, Severity
from inferguard_core.monitor import Monitor
from inferguard_core.poll import Poll, ProofLevel
from inferguard_tui.desk import SessionDesk

AT = 1_000_000.0


class Quiet:
    """An endpoint that nobody polls in these tests."""

    endpoint = "http://gpu-07:8000"
    proof = ProofLevel.LIVE

    async def poll(self) -> Poll:
        raise AssertionError("somebody polls it")

    def refresh_facts(self) -> None: ...

    async def close(self) -> None: ...


def open_incident() -> tuple[SessionDesk, Monitor, str]:
    monitor = Monitor([("gpu-07:8000", Quiet())], 2.0, Limits())
    trouble = Anomaly("stall", AnomalyState.FIRING, Severity.CRITICAL, "no progress", AT - 20, AT - 10)
    incident = monitor.watches[0].log.update([trouble], [trouble], AT - 10)
    assert incident is not None
    return SessionDesk(monitor, clock=lambda: AT), monitor, incident.id


def test_an_acknowledged_incident_says_by_whom_until_the_same_person_releases_it() -> None:
    desk, monitor, known = open_incident()
    assert desk.acknowledge(known, "kim") == ""
    held = monitor.watches[0].log.open
    assert held is not None
    assert (held.acknowledged_by, held.timeline[-1]) == ("kim", (AT, "kim is on it", "kim"))
    assert desk.acknowledge(known, "kim") == ""
    released = monitor.watches[0].log.open
    assert released is not None
    assert released.acknowledged_by == ""


def test_a_snooze_ends_when_asked() -> None:
    desk, monitor, known = open_incident()
    assert desk.snooze(known, "kim", 600.0) == ""
    snoozed = monitor.watches[0].log.incidents[0]
    assert snoozed.snoozed_until_unix == AT + 600.0
    assert snoozed.timeline[-1] == (AT, "kim snoozed it for 10 min", "kim")
    assert desk.snooze(known, "lee", 0.0) == ""
    woken = monitor.watches[0].log.incidents[0]
    assert woken.snoozed_until_unix is None
    assert woken.timeline[-1] == (AT, "lee ended the snooze", "lee")


def test_a_note_is_kept_without_what_a_terminal_would_act_on() -> None:
    desk, monitor, known = open_incident()
    assert desk.note(known, "kim", "  rolled back\x1b[31m the gateway ") == ""
    (note,) = monitor.watches[0].log.incidents[0].notes
    assert (note.author, note.text) == ("kim", "rolled back[31m the gateway")
    assert desk.note(known, "kim", " ") == "an empty note is not kept"


def test_an_unknown_incident_is_named() -> None:
    desk, _, _ = open_incident()
    for answer in (
        desk.acknowledge("x", "kim"),
        desk.snooze("x", "kim", 1.0),
        desk.note("x", "kim", "hello"),
    ):
        assert answer == "incident x is not in this session"
