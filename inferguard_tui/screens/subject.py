"""A screen about one endpoint, and the ways from it to all that is known of that endpoint and its incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.panels.advisories import standing
from inferguard_tui.screens.frame_screen import FrameScreen

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Frame, Incident

NO_DESK = "this is a recording: nothing can be asked of it"
NO_INCIDENT = "no incident has been seen here"


class SubjectScreen(FrameScreen):
    """Shows the endpoint whose key is `endpoint_key`, the first one for None."""

    def __init__(self, endpoint_key: str | None = None, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.endpoint_key = endpoint_key

    def watch_frame(self, frame: Frame | None) -> None:
        if frame is None:
            return
        chosen = next((e for e in frame.endpoints if e.endpoint == self.endpoint_key), None)
        if chosen is None and self.endpoint_key is None and frame.endpoints:
            chosen = frame.endpoints[0]
        self.endpoint = chosen

    @property
    def subject(self) -> EndpointFrame | None:
        """The endpoint that is spoken of."""
        return self.endpoint

    @property
    def incident(self) -> Incident | None:
        """The one that is spoken of: the open one, else the last."""
        if self.subject is None:
            return None
        return self.subject.incident or next(iter(self.subject.incidents), None)

    def action_incident(self) -> None:
        from inferguard_tui.screens.incident import IncidentScreen

        if self.incident is None:
            self.answer(NO_INCIDENT)
        elif self.subject is not None:
            self.app.push_screen(IncidentScreen(self.subject.endpoint, ascii_only=self.ascii_only))

    def action_dialect(self) -> None:
        from inferguard_tui.screens.dialect import DialectScreen

        if self.subject is not None:
            self.app.push_screen(DialectScreen(self.subject.endpoint, ascii_only=self.ascii_only))

    def action_diagnose(self) -> None:
        from inferguard_tui.screens.diagnose import DiagnoseScreen

        if self.desk is None or self.subject is None:
            self.answer(NO_DESK)
            return
        self.app.push_screen(DiagnoseScreen(self.subject.endpoint, self.desk, ascii_only=self.ascii_only))

    def action_preview(self) -> None:
        from inferguard_tui.screens.preview import PreviewScreen

        if self.desk is None or self.subject is None:
            self.answer(NO_DESK)
        elif not standing(self.subject):
            self.answer("nothing is advised here")
        else:
            self.app.push_screen(PreviewScreen(self.subject.endpoint, self.desk, ascii_only=self.ascii_only))

    def action_recall(self) -> None:
        from inferguard_tui.screens.recall import RecallScreen

        if self.desk is None or self.subject is None:
            self.answer(NO_DESK)
            return
        incident_id = self.incident.id if self.incident is not None else None
        self.app.push_screen(RecallScreen(self.subject.endpoint, incident_id, ascii_only=self.ascii_only))
