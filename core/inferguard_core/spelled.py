"""Which signals an engine exports, remembered over a page that lacks one.

A value that is left out of one page because it is impossible, or a body that is cut short, makes a signal unknown
for that poll. It does not make its rules blind, which would say that the engine has no such metric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REMEMBERED_S = 60.0


class Spelled:
    """Signal to exposed name of the last `REMEMBERED_S` seconds' pages of one process."""

    def __init__(self) -> None:
        self.names: Mapping[str, str] = {}
        self._page: Mapping[str, str] = {}
        self._seen: dict[str, float] = {}

    def take(self, t: float, page: Mapping[str, str], *, restarted: bool) -> None:
        """Take the spellings of a page read at monotonic `t`."""
        if restarted:
            self._seen.clear()
            self.names = {}
        if page is self._page and self.names is page:
            return
        for name in self.names:
            self._seen.setdefault(name, t)
        for name in page:
            self._seen[name] = t
        lacking = {n: s for n, s in self.names.items() if n not in page and t - self._seen[n] <= REMEMBERED_S}
        self._page = page
        self.names = {**lacking, **page} if lacking else page
