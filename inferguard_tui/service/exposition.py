"""Our own /metrics: a frame and what the service counted, as exposition text.

What is not known is not there: a rule without input and an endpoint without data have no anomaly series, rather
than a 0 that reads as health.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from inferguard_core.detect.rules import AVAILABILITY, KINDS
from inferguard_core.frame import AnomalyState, Status
from inferguard_tui import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inferguard_core.alerts.outlet import Outlet
    from inferguard_core.frame import EndpointFrame, Frame
    from inferguard_tui.service.meter import Meter
    from inferguard_tui.service.process import Process

Labels = Mapping[str, str]

_FAMILIES: Mapping[str, tuple[str, str]] = {
    "build_info": ("gauge", "Version of this program."),
    "endpoints": ("gauge", "Endpoints under watch."),
    "endpoint_info": ("gauge", "Engine, version and model of an endpoint."),
    "endpoint_up": ("gauge", "1 when the newest poll brought a page, else 0."),
    "endpoint_severity": (
        "gauge",
        "Worst anomaly: 0 ok, 1 notice, 2 warning, 3 critical; absent without data.",
    ),
    "anomaly": ("gauge", "Severity of an anomaly by kind, 0 when it is not there; absent without input."),
    "rule_blind": ("gauge", "1 for a rule whose input this engine does not export."),
    "incident_open": ("gauge", "1 while an incident is open."),
    "incidents_total": ("counter", "Incidents since the start of this program."),
    "data_age_seconds": ("gauge", "Age of the newest page."),
    "polls_total": ("counter", "Polls since the start."),
    "poll_failures_total": ("counter", "Failed polls since the start, by kind."),
    "poll_duration_seconds": ("summary", "Time that polls took."),
    "loop_lag_seconds": ("gauge", "How late the event loop ran at worst within the last minute."),
    "part_state": ("gauge", "1 with the word for the state that a part of this program is in."),
    "alert_requests_total": ("counter", "Requests to a receiver of alerts that it took."),
    "alert_failures_total": ("counter", "Requests to a receiver of alerts that failed."),
    "alerts_waiting": ("gauge", "Notices that a receiver does not have yet."),
    "alerts_lost_total": ("counter", "Notices given up for want of room."),
}
_PROCESS: Mapping[str, tuple[str, str]] = {
    "process_start_time_seconds": ("gauge", "Start of this process, Unix time."),
    "process_cpu_seconds_total": ("counter", "CPU time of this process."),
    "process_resident_memory_bytes": ("gauge", "Resident memory of this process."),
    "process_open_fds": ("gauge", "Open descriptors of this process."),
}


class Exposition:
    """Samples by family, written out together as the format demands."""

    def __init__(self) -> None:
        self._samples: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, family: str, value: float | None, labels: Labels | None = None, suffix: str = "") -> None:
        """A sample of one of the families; None is not known and leaves no sample."""
        if value is None:
            return
        inner = ",".join(f'{k}="{_escaped(v)}"' for k, v in (labels or {}).items())
        name = family if family in _PROCESS else f"inferguard_{family}"
        block = f"{{{inner}}}" if inner else ""
        self._samples[family].append(f"{name}{suffix}{block} {_number(value)}")

    def text(self) -> str:
        lines = []
        for family, (kind, meaning) in {**_FAMILIES, **_PROCESS}.items():
            if samples := self._samples.get(family):
                name = family if family in _PROCESS else f"inferguard_{family}"
                lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", *samples]
        return "\n".join(lines) + "\n"


def exposition(frame: Frame, meter: Meter, outlets: Iterable[Outlet], process: Process) -> str:
    """The page as of `frame`."""
    page = Exposition()
    page.add("build_info", 1, {"version": __version__})
    page.add("endpoints", len(frame.endpoints))
    for endpoint in frame.endpoints:
        _endpoint(page, endpoint)
        _polls(page, endpoint, meter)
    page.add("loop_lag_seconds", meter.lag_s)
    for part in frame.parts:
        if part.part != "poll":
            page.add("part_state", 1, {"part": part.part, "state": part.state})
    for outlet in outlets:
        labels = {"receiver": outlet.part}
        page.add("alert_requests_total", outlet.sent, labels)
        page.add("alert_failures_total", outlet.failed, labels)
        page.add("alerts_waiting", outlet.waiting, labels)
        page.add("alerts_lost_total", outlet.lost, labels)
    page.add("process_start_time_seconds", process.started_unix)
    page.add("process_cpu_seconds_total", process.cpu_seconds)
    page.add("process_resident_memory_bytes", process.resident_bytes)
    page.add("process_open_fds", process.open_fds)
    return page.text()


def _endpoint(page: Exposition, endpoint: EndpointFrame) -> None:
    labels = {"endpoint": endpoint.endpoint, "instance": endpoint.name}
    about = {"engine": endpoint.engine.value, "version": endpoint.engine_version or ""}
    page.add("endpoint_info", 1, {**labels, **about, "model": ",".join(endpoint.models)})
    page.add("endpoint_up", None if not endpoint.polls else float(endpoint.failure is None), labels)
    page.add("data_age_seconds", endpoint.age_s, labels)
    page.add("incident_open", None if not endpoint.polls else float(endpoint.incident is not None), labels)
    blind = {b.rule for b in endpoint.blind}
    for rule in sorted(blind):
        page.add("rule_blind", 1, {**labels, "kind": rule})
    judged = endpoint.status not in (Status.WAITING, Status.STALE, Status.NO_DATA)
    page.add("endpoint_severity", int(endpoint.severity) if judged else None, labels)
    active = {a.kind: int(a.severity) for a in endpoint.anomalies if a.state is not AnomalyState.OK}
    for kind in KINDS:
        known = judged or (kind in AVAILABILITY and endpoint.polls)
        if known and kind not in blind:
            page.add("anomaly", active.get(kind, 0), {**labels, "kind": kind})


def _polls(page: Exposition, endpoint: EndpointFrame, meter: Meter) -> None:
    counted = meter.polls.get(endpoint.endpoint)
    if counted is None:
        return
    labels = {"endpoint": endpoint.endpoint, "instance": endpoint.name}
    page.add("incidents_total", counted.incidents, labels)
    page.add("polls_total", counted.count, labels)
    for kind, count in sorted(counted.failed.items()):
        page.add("poll_failures_total", count, {**labels, "reason": kind})
    page.add("poll_duration_seconds", counted.seconds, labels, "_sum")
    page.add("poll_duration_seconds", counted.count, labels, "_count")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
