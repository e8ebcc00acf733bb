"""A screen that shows frames: what it is given goes down to its widgets, what a person asks for goes up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.reactive import reactive
from textual.screen import Screen

from inferguard_tui.messages import FramesWanted
from inferguard_tui.panels.view import Watching
from inferguard_tui.screens.frugal_compositor import FrugalCompositor
from inferguard_tui.widgets.line_view import INK_CLASSES
from inferguard_tui.widgets.top_lines import KeyLine

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Frame
    from inferguard_tui.chart import Raster
    from inferguard_tui.feed import Desk


class FrameScreen(Screen[None]):
    """Base of the screens that frames are delivered to."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*INK_CLASSES}

    frame: reactive[Frame | None] = reactive(None, repaint=False)
    watching: reactive[Watching] = reactive(Watching(), repaint=False)
    endpoint: reactive[EndpointFrame | None] = reactive(None, repaint=False)
    """What header and verdict speak of; None for all of a fleet. A dialog has that of the screen beneath it."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
        self.ascii_only = ascii_only
        self.desk: Desk | None = None
        """Where a person's requests go; None before the first frame and where nothing can be asked."""

    def show_chart(self, raster: Raster | None) -> None:
        """Charts can be drawn from now on. Screens without one ignore it."""

    def answer(self, words: str) -> None:
        """Show a line where the keys are, for a while; an empty one gives them back."""
        self.query_one(KeyLine).say(words)

    def on_screen_resume(self) -> None:
        self.post_message(FramesWanted())

    def _compositor_refresh(self) -> None:
        """Beneath a dialog, send what has changed since the last time, and only where the dialog lets it be seen.

        Textual's own sends it under a dialog that hides it too, and with each change all that ever changed before.
        """
        above = self.app.screen
        if above is self:
            super()._compositor_refresh()
            return
        changed = self._compositor._dirty_regions  # noqa: SLF001 - as the method that this replaces
        if changed and above.styles.background.a < 1:
            above.refresh(*changed)
        changed.clear()
        self._dirty_widgets.clear()
