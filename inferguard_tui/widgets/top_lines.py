"""The single lines around a screen's middle: header, verdict, replay bar and keys."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual.reactive import reactive

from inferguard_core.printable import printable
from inferguard_tui.keymap import effective, in_words
from inferguard_tui.line import EMPTY, Ink, Span, clauses, fitted, line
from inferguard_tui.panels.footer import footer_line
from inferguard_tui.panels.header import NAME, endpoint_header, fleet_header
from inferguard_tui.panels.replay import replay_line
from inferguard_tui.panels.verdict import endpoint_verdict, fleet_verdict, trouble_line
from inferguard_tui.panels.view import Watching
from inferguard_tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import Binding
    from textual.timer import Timer

    from inferguard_core.frame import EndpointFrame, Frame
    from inferguard_tui.line import Line

ANSWER_S = 8.0
"""Seconds that an answer stands: long enough to be read twice."""


class FrameLine(LineView):
    """One line made from the newest frame."""

    frame: reactive[Frame | None] = reactive(None, repaint=False)
    watching: reactive[Watching] = reactive(Watching(), repaint=False)
    endpoint: reactive[EndpointFrame | None] = reactive(None, repaint=False)
    """The endpoint on screen; None on the fleet."""

    @abstractmethod
    def content(self, frame: Frame, cells: int) -> Line:
        """The line, at this width."""

    def before(self, cells: int) -> Line:  # noqa: ARG002 - for subclasses
        """The line before the first frame."""
        return EMPTY

    def redraw(self) -> None:
        cells = self.size.width
        row = self.before(cells) if self.frame is None else self.content(self.frame, cells)
        self.draw((row,))

    def watch_frame(self) -> None:
        self.redraw()

    def watch_watching(self) -> None:
        self.redraw()

    def watch_endpoint(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()


class HeaderLine(FrameLine):
    """Line 1."""

    def before(self, cells: int) -> Line:
        return fitted(line(Span(NAME, Ink.FOCUS)), cells)

    def content(self, frame: Frame, cells: int) -> Line:
        if self.endpoint is None:
            return fleet_header(frame, self.watching, cells)
        keys = [endpoint.endpoint for endpoint in frame.endpoints]
        known = len(keys) > 1 and self.endpoint.endpoint in keys
        number = keys.index(self.endpoint.endpoint) + 1 if known else None
        return endpoint_header(frame, self.endpoint, number, self.watching, cells)


class VerdictLine(FrameLine):
    """Line 2."""

    def before(self, cells: int) -> Line:
        if self.watching.trouble:
            return trouble_line(None, self.watching, cells)
        return fitted(
            line(Span(" … STARTING  ", Ink.DIM), Span("waiting for the first frame", Ink.STRONG)), cells
        )

    def content(self, frame: Frame, cells: int) -> Line:
        if self.endpoint is None:
            return fleet_verdict(frame, self.watching, cells)
        return endpoint_verdict(frame, self.endpoint, self.watching, cells)


class ReplayBar(FrameLine):
    """Where a replay stands; takes no room on a live feed."""

    DEFAULT_CSS = "ReplayBar { display: none; } ReplayBar.-replay { display: block; }"

    def content(self, frame: Frame, cells: int) -> Line:
        assert frame.replay is not None
        return replay_line(frame.replay, cells)

    def redraw(self) -> None:
        replaying = self.frame is not None and self.frame.replay is not None
        if self.has_class("-replay") is not replaying:
            self.set_class(replaying, "-replay")
        if replaying:
            super().redraw()


class KeyLine(LineView):
    """The keys that work here, as many groups as fit; for a while the answer to the last one."""

    def __init__(self, bindings: Sequence[Binding], *, ascii_only: bool = False) -> None:
        super().__init__(id="keys", ascii_only=ascii_only)
        self._bindings_shown = tuple(bindings)
        self._said = ""
        self._silence: Timer | None = None

    def offer(self, bindings: Sequence[Binding]) -> None:
        """Show these keys from now on."""
        if self._bindings_shown != tuple(bindings):
            self._bindings_shown = tuple(bindings)
            self.redraw()

    def say(self, words: str) -> None:
        """Show `words` in place of the keys for `ANSWER_S`, or until something else is said."""
        self._said = printable(words, 400)
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(ANSWER_S, self._hush)
        self.redraw()

    def _hush(self) -> None:
        self._said, self._silence = "", None
        self.redraw()

    def redraw(self) -> None:
        cells = self.size.width
        said = line(Span(" ▸ ", Ink.KEY), Span(clauses(self._said, cells - 4), Ink.STRONG))
        bindings = effective(self._bindings_shown, self.app._keymap)  # noqa: SLF001 - there is no public way to read it
        if self.ascii_only:
            bindings = [b.with_key(b.key, in_words(b.key_display or "")) for b in bindings]
        self.draw((said if self._said else footer_line(bindings, cells),))

    def on_resize(self) -> None:
        self.redraw()
