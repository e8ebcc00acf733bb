"""Notices as Alertmanager wants them: the whole state again and again, each alert with the time at which it ends.

An alert that is not sent again before that time resolves by itself, so a monitor that dies leaves none behind. A
label set is an alert's identity there: one that becomes worse is another alert, and the milder one ends.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from inferguard_core.alerts.notice import Edge, Notice
from inferguard_core.alerts.outlet import Batch

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTE = "/api/v2/alerts"
ALERT_NAME = "InferGuardIncident"
LIVES = 4
"""An alert ends by itself after so many intervals without being sent again, as Prometheus does it."""


class AlertmanagerSpool:
    """The open incidents, and the ends that have not arrived."""

    def __init__(self, resend_s: float, most: int, generator_url: str = "") -> None:
        """Open ones are sent every `resend_s`; at most `most` ends are kept for a receiver that is away."""
        self._resend_s = resend_s
        self._most = most
        self._generator_url = generator_url
        self._open: dict[str, Notice] = {}
        self._ended: dict[tuple[tuple[str, str], ...], Notice] = {}
        self._news: set[str] = set()
        """Endpoints whose state the receiver does not have yet."""
        self._due = 0.0
        """When the open ones are to be sent again."""
        self.lost = 0

    @property
    def waiting(self) -> int:
        return len(self._ended) + len(self._news)

    def take(self, notice: Notice) -> None:
        key = notice.incident.endpoint
        before = self._open.pop(key, None)
        if before is not None and labels(before) != labels(notice):
            self._end(before)
        if notice.edge is Edge.RESOLVED:
            self._end(notice)
            self._news.discard(key)
        else:
            self._ended.pop(_identity(notice), None)
            self._open[key] = notice
            self._news.add(key)

    def batch(self, unix: float) -> Batch | None:
        if not self.waiting and (unix < self._due or not self._open):
            return None
        ended, opened = dict(self._ended), dict(self._open)
        alerts = [self._alert(n, n.ended_unix) for n in ended.values()]
        alerts += [self._alert(n, unix + LIVES * self._resend_s) for n in opened.values()]
        return Batch(alerts, (ended, opened))

    def sent(self, batch: Batch, unix: float) -> None:
        ended, opened = batch.token
        self._ended = {k: n for k, n in self._ended.items() if ended.get(k) is not n}
        self._news = {k for k in self._news if opened.get(k) is not self._open.get(k)}
        self._due = unix + self._resend_s

    def due_s(self, unix: float) -> float | None:
        return max(0.0, self._due - unix) if self._open else None

    def _end(self, notice: Notice) -> None:
        self._ended[_identity(notice)] = notice
        while len(self._ended) > self._most:
            del self._ended[next(iter(self._ended))]
            self.lost += 1

    def _alert(self, notice: Notice, ends_unix: float) -> dict[str, Any]:
        return {
            "labels": labels(notice),
            "annotations": words(notice),
            "startsAt": _time(notice.incident.onset_unix),
            "endsAt": _time(ends_unix),
            "generatorURL": self._generator_url,
        }


def labels(notice: Notice) -> dict[str, str]:
    """What tells the alert from others and what routes go by. Empty ones are left out, as Alertmanager would."""
    found = {
        "alertname": ALERT_NAME,
        "severity": notice.severity.word,
        "instance": notice.name,
        "endpoint": notice.incident.endpoint,
        "engine": notice.engine,
        "model": notice.models[0] if len(notice.models) == 1 else "",
    }
    return {name: value for name, value in found.items() if value}


def words(notice: Notice) -> Mapping[str, str]:
    """What a person reads."""
    cause = f"{notice.cause} {notice.confidence or 0.0:.2f}" if notice.cause else ""
    found = {
        "summary": f"{notice.name}: {notice.incident.headline}",
        "incident_id": notice.incident.id,
        "anomalies": ", ".join(notice.incident.anomalies),
        "cause": cause,
        "advice": "; ".join(notice.advice),
        "fix": "" if notice.fix is None else notice.fix.command,
        "because": notice.because,
    }
    return {name: value for name, value in found.items() if value}


def _identity(notice: Notice) -> tuple[tuple[str, str], ...]:
    return tuple(labels(notice).items())


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds")
