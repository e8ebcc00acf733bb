"""The rows of a fleet, drawn line by line; only rows that changed are repainted, and only those in sight are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.reactive import reactive

from inferguard_tui.fleet.columns import row
from inferguard_tui.fleet.lines import heading_line
from inferguard_tui.fleet.order import Entry, Heading, Look, entries, matches, may_sort
from inferguard_tui.line import Ink, Span, line
from inferguard_tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from textual import events

    from inferguard_core.frame import EndpointFrame, Frame
    from inferguard_tui.line import Line


class FleetTable(LineView):
    """One line an endpoint, in groups where asked for. The cursor stays on its endpoint, wherever the rows go."""

    DEFAULT_CSS = "FleetTable { height: 1fr; overflow: hidden auto; scrollbar-size-vertical: 1; }"

    frame: reactive[Frame | None] = reactive(None, repaint=False)

    def __init__(self, look: Look, *, at: str = "", ascii_only: bool = False) -> None:
        """`at` is the endpoint that the cursor starts on, where it is there."""
        super().__init__(id="fleet", ascii_only=ascii_only)
        self.look = look
        self._entries: tuple[Entry, ...] = ()
        self._order: tuple[str, ...] = ()
        self._chosen = ""
        self._at = at
        self._moved_unix: float | None = None

    @property
    def chosen(self) -> str:
        """Key of the endpoint under the cursor; empty where there is no row."""
        return self._chosen

    @property
    def count(self) -> int:
        """Endpoints that are shown."""
        return len(self._order)

    def watch_frame(self, frame: Frame | None) -> None:
        if frame is None:
            return
        look = self.look
        wanted = [e.endpoint for e in frame.endpoints if not look.wanted or matches(e, look.wanted)]
        if may_sort(self._order, wanted, self._moved_unix, frame.unix):
            self._sort(frame)
        self.redraw()

    def show(self, look: Look) -> None:
        """Look at it this way, at once."""
        self.look = look
        self.sort()

    def sort(self) -> None:
        """Put the rows in order, now."""
        if self.frame is not None:
            self._sort(self.frame)
            self.redraw()

    def move(self, by: int) -> None:
        if not self._order or self.frame is None:
            return
        at = min(max(self._order.index(self._chosen) + by, 0), len(self._order) - 1)
        self._chosen = self._order[at]
        self._moved_unix = self.frame.unix
        self._keep_in_sight()
        self.redraw()

    def redraw(self) -> None:
        """Make the lines in sight; those out of sight are left empty."""
        if self.frame is None or not self.size.width:
            return
        found = {e.endpoint: (number, e) for number, e in enumerate(self.frame.endpoints, 1)}
        top = self.scroll_offset.y
        in_sight = range(top, top + self.size.height)
        lines = tuple(self._line(found, e) if y in in_sight else () for y, e in enumerate(self._entries))
        self.draw(lines or (line(Span(" no endpoint matches", Ink.DIM)),))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self.redraw()
        super().watch_scroll_y(old_value, new_value)

    def on_resize(self, _event: events.Resize) -> None:
        self._keep_in_sight()
        self.redraw()

    def _line(self, found: dict[str, tuple[int, EndpointFrame]], entry: Entry) -> Line:
        assert self.frame is not None
        if isinstance(entry, Heading):
            return heading_line(entry, self.size.width)
        number, endpoint = found[entry]
        return row(endpoint, number, self.frame.unix, self.size.width, under_cursor=entry == self._chosen)

    def _sort(self, frame: Frame) -> None:
        self._entries = entries(frame.endpoints, self.look)
        self._order = tuple(entry for entry in self._entries if isinstance(entry, str))
        if self._chosen not in self._order:
            self._chosen = self._order[0] if self._order else ""
        # Until somebody moves the cursor it stays where it was put, else with the worst.
        if self._moved_unix is None and self._order:
            self._chosen = self._at if self._at in self._order else self._order[0]
        self.virtual_size = Size(self.size.width, len(self._entries))
        self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        if self._chosen not in self._order or not self.size.height:
            return
        at, top = self._entries.index(self._chosen), self.scroll_offset.y
        wanted = min(max(top, at - self.size.height + 1), at)
        # The heading above the first row of a group comes into sight with it.
        if wanted == at > 0 and isinstance(self._entries[at - 1], Heading):
            wanted -= 1
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)
