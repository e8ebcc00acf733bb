"""A dialog over a screen: a page of lines that scrolls and closes.

It never hides how things stand: header and verdict of the screen beneath stand above it and go on. They are its own:
for what shines through from beneath Textual draws that whole screen again at each change.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Container, Vertical

from inferguard_tui.keys import CLOSE_KEYS, bindings_of
from inferguard_tui.screens.frame_screen import FrameScreen
from inferguard_tui.widgets.page import Page
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, VerdictLine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.screen import Screen

    from inferguard_tui.line import Line


class Dialog(FrameScreen):
    """Base of the help and of a zoomed panel. Frames go on underneath and in it."""

    CSS_PATH = Path(__file__).with_name("dialog.tcss")
    BINDINGS = CLOSE_KEYS
    AUTO_FOCUS = ""
    HEADING = ""
    """What its border calls it."""

    def on_mount(self) -> None:
        self.set_class(self.ascii_only, "-ascii")
        self.query_one("#dialog").border_title = self.HEADING
        self.watch(self.query_one(Page), "scroll_y", self._tell_rest, init=False)

    def compose(self) -> ComposeResult:
        plain = self.ascii_only
        seen = (Dialog.frame, Dialog.watching, Dialog.endpoint)
        with Vertical(id="top"):
            yield HeaderLine(id="header", ascii_only=plain).data_bind(*seen)
            yield VerdictLine(id="verdict", ascii_only=plain).data_bind(*seen)
        with Container(id="dialog"):
            yield Page(id="page", ascii_only=plain)
            yield from self.below_page()
            yield KeyLine(bindings_of([*type(self).BINDINGS]), ascii_only=plain)

    def below_page(self) -> ComposeResult:
        """What stands between the page and the keys."""
        return ()

    @abstractmethod
    def content(self, cells: int) -> tuple[Line, ...]:
        """The lines of the page at this width."""

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
        box = self.query_one("#dialog")
        if box.border_subtitle != words:
            # Textual draws the whole dialog again for it, whether it is another or not.
            box.border_subtitle = words

    def watch_frame(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)

    def action_scroll(self, rows: int) -> None:
        page = self.query_one(Page)
        page.scroll_relative(y=rows, animate=False)

    def action_close(self) -> None:
        self.dismiss()


def in_sight(stack: list[Screen[object]]) -> Iterator[FrameScreen]:
    """The screens of `stack` that show frames and are seen, the lowest first: one, and the dialogs over it."""
    lowest = next((i for i in range(len(stack) - 1, 0, -1) if not isinstance(stack[i], Dialog)), 0)
    return (screen for screen in stack[lowest:] if isinstance(screen, FrameScreen))
