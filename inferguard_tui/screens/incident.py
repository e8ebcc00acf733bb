"""One incident in full, while the engine is still watched: the verdict line above goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Horizontal

from inferguard_tui.incident.page import BESIDE_FROM, Subject, columns_of, incident_head
from inferguard_tui.keys import INCIDENT_KEYS, PROGRAM_KEYS, SUBJECT_KEYS, bindings_of
from inferguard_tui.screens.handling import HandlingScreen
from inferguard_tui.widgets.line_view import LineView
from inferguard_tui.widgets.page import Page
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, ReplayBar, VerdictLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from inferguard_core.frame import EndpointFrame, Frame, Incident
    from inferguard_tui.feed import Desk

_BESIDE_SHARE = 0.42


class IncidentScreen(HandlingScreen):
    """Starts with the open incident, else the last; `h` and `l` go through the log."""

    CSS_PATH = Path(__file__).with_name("incident.tcss")
    BINDINGS = [*INCIDENT_KEYS, *SUBJECT_KEYS]  # noqa: RUF012 - Textual's
    AUTO_FOCUS = ""

    def __init__(self, endpoint_key: str | None = None, *, ascii_only: bool = False) -> None:
        super().__init__(endpoint_key, ascii_only=ascii_only)
        self._chosen: str | None = None
        self._kept: dict[str, EndpointFrame | None] = {}
        """Incidents that are over, as the memory kept them; None where it was asked and has not answered with one."""

    def compose(self) -> ComposeResult:
        plain = self.ascii_only
        yield HeaderLine(id="header", ascii_only=plain).data_bind(
            IncidentScreen.frame, IncidentScreen.watching, IncidentScreen.endpoint
        )
        yield VerdictLine(id="verdict", ascii_only=plain).data_bind(
            IncidentScreen.frame, IncidentScreen.watching, IncidentScreen.endpoint
        )
        yield LineView(id="head", ascii_only=plain)
        with Horizontal():
            yield Page(id="why", ascii_only=plain)
            yield Page(id="course", ascii_only=plain)
        yield ReplayBar(id="replay", ascii_only=plain).data_bind(IncidentScreen.frame)
        keys = bindings_of([*INCIDENT_KEYS, *SUBJECT_KEYS, *PROGRAM_KEYS])
        yield KeyLine([key for key in keys if key.id != "subject.incident"], ascii_only=plain)

    @property
    def incident(self) -> Incident | None:
        """The chosen one; without a choice the open one, else the last."""
        known = self.endpoint.incidents if self.endpoint is not None else ()
        return next((i for i in known if i.id == self._chosen), None) or super().incident

    def watch_frame(self, frame: Frame | None) -> None:
        super().watch_frame(frame)
        if self._chosen is None and self.incident is not None:
            self._chosen = self.incident.id
        self.redraw()

    def on_resize(self) -> None:
        beside = self.size.width >= BESIDE_FROM
        self.query_one("#course", Page).display = beside
        self.query_one("#course", Page).styles.width = round(self.size.width * _BESIDE_SHARE)
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draw the chosen incident as of the newest frame."""
        incident, frame, endpoint = self.incident, self.frame, self.endpoint
        if incident is None or frame is None or endpoint is None or not self.is_mounted:
            return
        subject = Subject(incident, endpoint, frame.unix)
        live = endpoint.incident is not None and endpoint.incident.id == incident.id
        if not live and not subject.concluded:
            subject = Subject(incident, self._kept.get(incident.id) or endpoint, frame.unix)
            self._ask_memory(incident.id)
        known = [i.id for i in endpoint.incidents]
        place = f"{len(known) - known.index(incident.id)} of {len(known)}" if incident.id in known else ""
        self.query_one("#head", LineView).draw(incident_head(subject, place, self.size.width))
        pages = [page for page in self.query(Page) if page.display]
        widths = tuple(page.room for page in pages)
        if all(widths):
            for page, rows in zip(pages, columns_of(subject, widths), strict=True):
                page.draw(rows)

    def _ask_memory(self, incident_id: str) -> None:
        """Once for each incident: what was concluded then is not in a live frame."""
        if self.desk is not None and incident_id not in self._kept:
            self._kept[incident_id] = None
            work = self._fetch(self.desk, incident_id)
            self.run_worker(work, group="closed", exit_on_error=False)

    async def _fetch(self, desk: Desk, incident_id: str) -> None:
        closed = await desk.closed_frame(incident_id)
        if not isinstance(closed, str) and closed.endpoints:
            self._kept[incident_id] = closed.endpoints[0]
            self.redraw()

    def action_scroll(self, rows: int) -> None:
        for page in self.query(Page):
            page.scroll_relative(y=rows, animate=False)

    def action_choose(self, by: int) -> None:
        """`by` incidents towards the newest."""
        if self.endpoint is None or self.incident is None:
            return
        known = [i.id for i in self.endpoint.incidents]
        at = min(max(known.index(self.incident.id) - by, 0), len(known) - 1)
        if known[at] == self._chosen:
            self.answer("this is the newest incident" if by > 0 else "this is the oldest incident kept")
            return
        self._chosen = known[at]
        for page in self.query(Page):
            page.scroll_to(y=0, animate=False)
        self.redraw()

    def action_close(self) -> None:
        self.app.pop_screen()
