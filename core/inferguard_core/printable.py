"""Text from an engine or a model is data: nothing in it may drive a terminal.

Every string that came over the wire passes here before it is shown or stored in a Frame. Markup is escaped
where text is drawn, since what needs escaping depends on the renderer.
"""

from __future__ import annotations

import unicodedata

_DROP = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls (escape sequences start with one), format characters (bidi overrides, zero width), surrogates."""


def printable(text: str, limit: int = 200) -> str:
    """`text` on one line with everything removed that a terminal would act on, cut to `limit` characters."""
    if text.isascii() and text.isprintable():
        kept = text
    else:
        spaced = (" " if c in "\n\r\t" else c for c in text[: limit * 4])
        kept = "".join(c for c in spaced if unicodedata.category(c) not in _DROP)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
