"""The shapes the screen is drawn with, and their ASCII stand-ins for terminals that have no others.

Panels write Unicode throughout; a terminal that cannot show it gets every line through `to_ascii` at the last
moment, cell for cell, so that no panel knows the difference.
"""

from __future__ import annotations

from rich.cells import cell_len

from inferguard_core.frame import Severity
from inferguard_tui.line import Ink, Line, Span

UNKNOWN = "—"
EIGHTHS = "▁▂▃▄▅▆▇█"
SHAPE = {Severity.OK: "✔", Severity.NOTICE: "·", Severity.WARNING: "!", Severity.CRITICAL: "▲"}
NO_DATA_SHAPE = "×"
STROKE = "│"
"""In a chart: something was done at this time."""
INK = {
    Severity.OK: Ink.OK,
    Severity.NOTICE: Ink.NOTICE,
    Severity.WARNING: Ink.WARNING,
    Severity.CRITICAL: Ink.CRITICAL,
}
WORD = {Severity.OK: "ok", Severity.NOTICE: "note", Severity.WARNING: "WARN", Severity.CRITICAL: "CRIT"}
"""Four letters at most, so that a column of them lines up."""

_STAND_INS = str.maketrans(
    {
        **dict(zip(EIGHTHS, "..::-==#", strict=True)),
        "—": "-",
        "–": "-",
        "─": "-",
        "│": "|",
        "┤": "+",
        "·": ".",
        "▲": "^",
        "✔": "+",
        "×": "x",
        "…": "~",
        "≈": "~",
        "≥": ">",
        "→": ">",
        "←": "<",
        "↑": "^",
        "↓": "v",
        "▸": ">",
        "▌": ">",
        "●": "o",
        "▶": ">",
        "░": ".",
        "Δ": "d",
    }
)


def to_ascii(content: Line) -> Line:
    """The line in ASCII, of the same width; a character with no stand-in becomes `?`."""
    return tuple(Span(_plain(span.text), span.ink) for span in content)


def _plain(text: str) -> str:
    if text.isascii():
        return text
    # From one number to another; the arrow's own stand-in would read as "greater than".
    swapped = text.replace(" → ", " ->").translate(_STAND_INS)
    return "".join(c if c.isascii() else "?" * cell_len(c) for c in swapped)


def bar(share: float, cells: int) -> str:
    """A bar of `share` (0 to 1) of `cells`, its rest drawn light."""
    full = round(min(max(share, 0.0), 1.0) * cells)
    return "█" * full + "░" * (cells - full)
