"""What a person does about an incident: says they are on it, writes notes, lets it rest, hands it over.

It asks the desk and says in a line what the desk answered. It decides nothing: why something is not done comes
from the desk, and what was done shows in a later frame.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from inferguard_tui.handoff.card import card_text
from inferguard_tui.handoff.markdown import incident_markdown
from inferguard_tui.person import person
from inferguard_tui.screens.subject import NO_DESK, NO_INCIDENT, SubjectScreen

if TYPE_CHECKING:
    from inferguard_tui.feed import Desk

SNOOZES = (
    ("1", "15 minutes", 900.0),
    ("2", "one hour", 3600.0),
    ("0", "no longer: let it call again", 0.0),
)


class HandlingScreen(SubjectScreen):
    """Base of the screens on which an incident is handled."""

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
        refused = desk.snooze(incident_id, person(), seconds)
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

    def action_copy(self) -> None:
        if self.subject is None or self.frame is None:
            return
        card = card_text(self.subject, self.incident, self.frame.unix)
        self.app.copy_to_clipboard(card)
        count = card.count("\n") + 1
        through = "; tmux passes it on with set-clipboard on" if os.environ.get("TMUX") else ""
        self.answer(f"{count} lines copied by OSC 52{through}")

    async def action_export(self) -> None:
        if self.desk is None or self.subject is None or self.incident is None or self.frame is None:
            self.answer(NO_DESK if self.desk is None else NO_INCIDENT)
            return
        text = incident_markdown(self.subject, self.incident, self.frame.unix)
        self.answer(await self.desk.export(self.subject.endpoint, self.incident.id, text))
