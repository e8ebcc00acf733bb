"""The dialect card: what this engine and version lets us see, and which rules cannot see for want of it.

A rule whose input is missing is blind: it stands here by name, never under what is fine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.engines.capability import Visibility
from inferguard_core.printable import printable
from inferguard_core.signals import SIGNALS, Signal
from inferguard_tui.line import EMPTY, Ink, Line, Span, left, line
from inferguard_tui.panels.header import engine_words
from inferguard_tui.panels.view import View, labelled, title_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.engines.capability import Capability
    from inferguard_core.frame import Blind, EndpointFrame

_NAME_CELLS = 26
_STATES = (
    (Visibility.HIDDEN, "Hidden behind a flag", Ink.WARNING),
    (Visibility.NOT_YET, "Not shown here: the feature is off, or nothing has happened yet", Ink.NOTICE),
    (Visibility.ABSENT, "Absent: this version has no such thing", Ink.DIM),
    (Visibility.RENAMED, "Read under another name than the newest", Ink.TEXT),
    (Visibility.READ, "Read", Ink.TEXT),
)
"""What takes something away from a person first."""
_COUNTS = {
    Visibility.READ: "read",
    Visibility.RENAMED: "renamed",
    Visibility.HIDDEN: "hidden behind a flag",
    Visibility.NOT_YET: "not shown yet",
    Visibility.ABSENT: "absent",
}


def dialect_lines(endpoint: EndpointFrame | None, cells: int) -> tuple[Line, ...]:
    """Counts, blind rules, then every signal by how it can be had."""
    if endpoint is None or not endpoint.dialect:
        waiting = "no page of a known engine has been read yet"
        return (line(Span("What this engine lets us see", Ink.TITLE)), EMPTY, line(Span(waiting, Ink.DIM)))
    rows: list[Line] = [line(Span(f"What {_engine(endpoint)} lets us see", Ink.TITLE))]
    rows += labelled("", _counts(endpoint), cells, Ink.STRONG)
    if endpoint.blind:
        rows += [
            EMPTY,
            title_rule("Blind rules: neither firing nor fine", str(len(endpoint.blind)), View(cells, 1)),
        ]
        for blind in endpoint.blind:
            rows += _blind(blind, cells)
    for state, title, ink in _STATES:
        of_it = [c for c in endpoint.dialect if c.state is state]
        if of_it:
            rows += [EMPTY, title_rule(title, str(len(of_it)), View(cells, 1))]
            rows += _signals(of_it, cells, ink)
    for doubt in endpoint.doubts:
        rows += [EMPTY, *labelled("doubted: ", doubt, cells, Ink.NOTICE)]
    return tuple(rows)


def _engine(endpoint: EndpointFrame) -> str:
    return engine_words(endpoint) + ("" if endpoint.engine_version else ", version not told,")


def _counts(endpoint: EndpointFrame) -> str:
    counted = [
        f"{count} {words}"
        for state, words in _COUNTS.items()
        if (count := sum(c.state is state for c in endpoint.dialect))
    ]
    blind = len(endpoint.blind)
    return " · ".join(
        [*counted, f"{blind} rule{'' if blind == 1 else 's'} blind" if blind else "no rule is blind"]
    )


def _blind(blind: Blind, cells: int) -> tuple[Line, ...]:
    told = f"needs {blind.missing}" + (f"; {blind.remedy}" if blind.remedy else "")
    return labelled(f"  {left(blind.rule, _NAME_CELLS)}", told, cells, label_ink=Ink.NOTICE)


def _signals(of_it: Sequence[Capability], cells: int, ink: Ink) -> list[Line]:
    rows: list[Line] = []
    for known in of_it:
        told = known.name or known.remedy or _meaning(known.signal)
        rows += labelled(f"  {left(known.signal.value, _NAME_CELLS)}", printable(told, 300), cells, ink)
    return rows


def _meaning(signal: Signal) -> str:
    return SIGNALS[signal].meaning
