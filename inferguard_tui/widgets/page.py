"""Lines in a frame that scroll: the inside of a dialog."""

from __future__ import annotations

from inferguard_tui.widgets.line_view import LineView


class Page(LineView):
    """As many lines as there are; shows those around the scroll position."""

    DEFAULT_CSS = (
        "Page { height: 1fr; overflow: hidden auto; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"
    )

    @property
    def room(self) -> int:
        """Cells for text: the scroll bar's column is left free also while there is none."""
        return max(0, self.size.width - 1)
