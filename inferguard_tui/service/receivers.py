"""Who is told of incidents, and what the settings say of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from inferguard_core.alerts.alertmanager import ROUTE, AlertmanagerSpool
from inferguard_core.alerts.notice import Edges
from inferguard_core.alerts.outlet import Outlet
from inferguard_core.alerts.post import poster
from inferguard_core.alerts.webhook import WebhookSpool
from inferguard_core.secret import SecretStr
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inferguard_core.frame import PartHealth
    from inferguard_core.settings import Settings
    from inferguard_core.sources.access import Access
    from inferguard_core.watch import EndpointWatch


PAST_S, PAST_INTERVALS = 5.0, 3.0
"""A poll that began longer ago than this is no news: a metrics server's page is one scrape and one question old."""


class Receivers:
    """Turns the states of watches into notices, and hands each to every outlet."""

    def __init__(self, outlets: Sequence[Outlet]) -> None:
        self.outlets = tuple(outlets)
        self._edges = Edges()

    def judged(self, watch: EndpointWatch) -> None:
        """Take the state of a watch after a poll. Never waits.

        A page of the past, judged at the start, is history: nobody is woken by it.
        """
        newest = watch.newest
        if newest is None or time.monotonic() - newest.t > PAST_S + PAST_INTERVALS * watch.interval_s:
            return
        notice = self._edges.judged(watch, time.time())
        if notice is not None:
            for outlet in self.outlets:
                outlet.take(notice)

    def left(self, watched: Iterable[str]) -> None:
        """End the incidents of endpoints that are not among those `watched`."""
        for notice in self._edges.left(watched, time.time()):
            for outlet in self.outlets:
                outlet.take(notice)

    def health(self) -> tuple[PartHealth, ...]:
        return tuple(outlet.health for outlet in self.outlets)

    def start(self) -> None:
        for outlet in self.outlets:
            outlet.start()

    async def close(self) -> None:
        for outlet in self.outlets:
            await outlet.close()


def receivers(settings: Settings, access: Access, generator_url: str = "") -> Receivers | BadInput:
    """Those that are set; none is as good as any."""
    chosen, outlets = settings.watch, []
    for url in chosen.alertmanager:
        sender = poster(SecretStr(url.rstrip("/") + ROUTE), access)
        if isinstance(sender, BadInput):
            return sender
        spool = AlertmanagerSpool(chosen.resend_seconds, chosen.spool, generator_url)
        outlets.append(Outlet(f"alertmanager {sender.name}", spool, sender))
    if chosen.alert_webhook is not None:
        sender = poster(chosen.alert_webhook, access)
        if isinstance(sender, BadInput):
            return sender
        outlets.append(Outlet(f"webhook {sender.name}", WebhookSpool(chosen.spool), sender))
    return Receivers(outlets)
