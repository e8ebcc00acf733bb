"""The rows of a fleet, drawn line by line; only rows that changed are repainted, and only those in sight are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.reactive import reactive

from inferguard_tui.fleet.columns import row
from inferguard_tui.fleet.order import may_sort, worst_first
from inferguard_tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from textual import events

    from inferguard_core.frame import EndpointFrame, Frame
    from inferguard_tui.line import Line


class FleetTable(LineView):
    """One line an endpoint. The cursor stays on its endpoint, wherever the rows go."""

    DEFAULT_CSS = "FleetTable { height: 1fr; overflow: hidden auto; scrollbar-size-vertical: 1; }"

    frame: reactive[Frame | None] = reactive(None, repaint=False)

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(id="fleet", ascii_only=ascii_only)
        self._order: tuple[str, ...] = ()
        self._chosen = ""
        self._moved_unix: float | None = None

    @property
    def chosen(self) -> str:
        """Key of the endpoint under the cursor; empty before the first frame."""
        return self._chosen

    def watch_frame(self, frame: Frame | None) -> None:
        if frame is None:
            return
        if may_sort(self._order, frame.endpoints, self._moved_unix, frame.unix):
            self._sort(frame)
        self.redraw()

    def sort(self) -> None:
        """Worst first, now."""
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
        self.draw(tuple(self._row(found, key) if y in in_sight else () for y, key in enumerate(self._order)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self.redraw()
        super().watch_scroll_y(old_value, new_value)

    def on_resize(self, _event: events.Resize) -> None:
        self._keep_in_sight()
        self.redraw()

    def _row(self, found: dict[str, tuple[int, EndpointFrame]], key: str) -> Line:
        assert self.frame is not None
        number, endpoint = found[key]
        return row(endpoint, number, self.frame.unix, self.size.width, under_cursor=key == self._chosen)

    def _sort(self, frame: Frame) -> None:
        self._order = worst_first(frame.endpoints)
        if self._chosen not in self._order:
            self._chosen = self._order[0] if self._order else ""
        # Until somebody moves the cursor it stays with the worst.
        if self._moved_unix is None and self._order:
            self._chosen = self._order[0]
        self.virtual_size = Size(self.size.width, len(self._order))
        self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        if self._chosen not in self._order or not self.size.height:
            return
        at, top = self._order.index(self._chosen), self.scroll_offset.y
        wanted = min(max(top, at - self.size.height + 1), at)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)
