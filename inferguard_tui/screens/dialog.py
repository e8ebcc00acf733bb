"""A dialog over a screen: a page of lines that scrolls and closes."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Container

from inferguard_tui.glyphs import to_ascii
from inferguard_tui.keys import CLOSE_KEYS, bindings_of
from inferguard_tui.line import line, text_of
from inferguard_tui.panels.verdict import standing_words
from inferguard_tui.screens.frame_screen import FrameScreen
from inferguard_tui.widgets.page import Page
from inferguard_tui.widgets.top_lines import KeyLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from inferguard_tui.line import Line

_LEAVE_THE_VERDICT = frozenset({"-small", "-side"})


class Dialog(FrameScreen):
    """Base of the help and of a zoomed panel. Frames go on underneath and in it."""

    CSS_PATH = Path(__file__).with_name("dialog.tcss")
    BINDINGS = CLOSE_KEYS
    AUTO_FOCUS = ""
    HEADING = ""
    """What the frame calls it, before the state of what is watched."""

    def on_mount(self) -> None:
        self.set_class(self.ascii_only, "-ascii")
        self.query_one("#dialog").border_title = self.HEADING
        self.watch(self.query_one(Page), "scroll_y", self._tell_rest, init=False)

    def compose(self) -> ComposeResult:
        with Container(id="dialog"):
            yield Page(id="page", ascii_only=self.ascii_only)
            yield KeyLine(bindings_of([*type(self).BINDINGS]), ascii_only=self.ascii_only)

    @abstractmethod
    def content(self, cells: int) -> tuple[Line, ...]:
        """The lines of the page at this width."""

    def answer(self, words: str) -> None:
        """Show a line where the keys are, for a while."""
        self.query_one(KeyLine).say(words)

    def redraw(self) -> None:
        if not self.is_mounted:
            return
        page = self.query_one(Page)
        if page.room:
            page.draw(self.content(page.room))
            self._tell_rest()

    def _tell_rest(self) -> None:
        """In the frame, how many lines there are below those in sight."""
        page = self.query_one(Page)
        below = len(page.lines) - page.scroll_offset.y - page.size.height
        words = f"{below} more below" if below > 0 else ""
        self.query_one("#dialog").border_subtitle = words

    def watch_frame(self) -> None:
        self._tell_state()
        self.redraw()

    def _tell_state(self) -> None:
        """In the frame of a dialog that covers the verdict, the state beneath it: it may get worse meanwhile."""
        if self.frame is None or not self.is_mounted or self.classes & _LEAVE_THE_VERDICT:
            return
        told = line(" · ".join(part for part in (self.HEADING, standing_words(self.frame)) if part))
        words, box = text_of(to_ascii(told) if self.ascii_only else told), self.query_one("#dialog")
        if box.border_title != words:
            box.border_title = words

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)

    def action_scroll(self, rows: int) -> None:
        page = self.query_one(Page)
        page.scroll_relative(y=rows, animate=False)

    def action_close(self) -> None:
        self.dismiss()
