"""A screen about one endpoint: what a person may ask about its incident works alike on all of them.

It asks the desk and says in a line what the desk answered. It decides nothing: why something is not done comes
from the desk, and what was done shows in a later frame.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from textual.reactive import reactive

from inferguard_tui.handoff.card import card_text
from inferguard_tui.handoff.markdown import incident_markdown
from inferguard_tui.panels.advisories import standing
from inferguard_tui.person import person
from inferguard_tui.screens.frame_screen import FrameScreen
from inferguard_tui.widgets.top_lines import KeyLine

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Frame, Incident
    from inferguard_tui.feed import Desk

NO_DESK = "this is a recording: nothing can be asked of it"
NO_INCIDENT = "no incident has been seen here"
SNOOZES = (
    ("1", "15 minutes", 900.0),
    ("2", "one hour", 3600.0),
    ("0", "no longer: let it call again", 0.0),
)


class SubjectScreen(FrameScreen):
    """Shows the endpoint whose key is `endpoint_key`, the first one for None."""

    endpoint: reactive[EndpointFrame | None] = reactive(None, repaint=False)

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
    def incident(self) -> Incident | None:
        """The one that is spoken of: the open one, else the last."""
        if self.endpoint is None:
            return None
        return self.endpoint.incident or next(iter(self.endpoint.incidents), None)

    def answer(self, words: str) -> None:
        """Show a line where the keys are, for a while."""
        self.query_one(KeyLine).say(words)

    def action_incident(self) -> None:
        from inferguard_tui.screens.incident import IncidentScreen

        if self.incident is None:
            self.answer(NO_INCIDENT)
        elif self.endpoint is not None:
            self.app.push_screen(IncidentScreen(self.endpoint.endpoint, ascii_only=self.ascii_only))

    def action_dialect(self) -> None:
        from inferguard_tui.screens.dialect import DialectScreen

        if self.endpoint is not None:
            self.app.push_screen(DialectScreen(self.endpoint.endpoint, ascii_only=self.ascii_only))

    def action_diagnose(self) -> None:
        from inferguard_tui.screens.diagnose import DiagnoseScreen

        if self.desk is None or self.endpoint is None:
            self.answer(NO_DESK)
            return
        self.app.push_screen(DiagnoseScreen(self.endpoint.endpoint, self.desk, ascii_only=self.ascii_only))

    def action_preview(self) -> None:
        from inferguard_tui.screens.preview import PreviewScreen

        if self.desk is None or self.endpoint is None:
            self.answer(NO_DESK)
        elif not standing(self.endpoint):
            self.answer("nothing is advised here")
        else:
            self.app.push_screen(PreviewScreen(self.endpoint.endpoint, self.desk, ascii_only=self.ascii_only))

    def action_recall(self) -> None:
        from inferguard_tui.screens.recall import RecallScreen

        if self.desk is None or self.endpoint is None:
            self.answer(NO_DESK)
            return
        incident_id = self.incident.id if self.incident is not None else None
        self.app.push_screen(RecallScreen(self.endpoint.endpoint, incident_id, ascii_only=self.ascii_only))

    def action_copy(self) -> None:
        if self.endpoint is None or self.frame is None:
            return
        card = card_text(self.endpoint, self.incident, self.frame.unix)
        self.app.copy_to_clipboard(card)
        count = card.count("\n") + 1
        through = "; tmux passes it on with set-clipboard on" if os.environ.get("TMUX") else ""
        self.answer(f"a hand-off of {count} lines is copied, by OSC 52{through}")

    async def action_export(self) -> None:
        if self.desk is None or self.endpoint is None or self.incident is None or self.frame is None:
            self.answer(NO_DESK if self.desk is None else NO_INCIDENT)
            return
        text = incident_markdown(self.endpoint, self.incident, self.frame.unix)
        self.answer(await self.desk.export(self.endpoint.endpoint, self.incident.id, text))

    def action_acknowledge(self) -> None:
        if self.desk is None or self.incident is None:
            self.answer(NO_DESK if self.desk is None else NO_INCIDENT)
            return
        who = person()
        released = self.incident.acknowledged_by == who
        refused = self.desk.acknowledge(self.incident.id, who)
        self.answer(refused or (f"{who} is no longer on it" if released else f"{who} is on it"))

    def action_snooze(self) -> None:
        from inferguard_tui.screens.choice import Choice

        if self.desk is None or self.incident is None:
            self.answer(NO_DESK if self.desk is None else NO_INCIDENT)
            return
        options = tuple((key, words) for key, words, _ in SNOOZES)
        title = "Do not call for attention for"
        # The incident is fixed now: another may open while the question stands.
        chosen = partial(self._snooze, self.desk, self.incident.id)
        self.app.push_screen(Choice(title, options, chosen, ascii_only=self.ascii_only))

    def _snooze(self, desk: Desk, incident_id: str, key: str) -> None:
        words, seconds = next((words, seconds) for k, words, seconds in SNOOZES if k == key)
        refused = desk.snooze(incident_id, seconds)
        self.answer(refused or (f"snoozed for {words}" if seconds else "the snooze is over"))

    def action_note(self) -> None:
        from inferguard_tui.screens.prompt import Prompt

        if self.desk is None or self.incident is None:
            self.answer(NO_DESK if self.desk is None else NO_INCIDENT)
            return
        entered = partial(self._note, self.desk, self.incident.id)
        self.app.push_screen(Prompt("Note about this incident", entered, ascii_only=self.ascii_only))

    def _note(self, desk: Desk, incident_id: str, text: str) -> None:
        self.answer(desk.note(incident_id, person(), text) or "the note is kept")
