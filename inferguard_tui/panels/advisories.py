"""What is safe to do next: advisories as pills, the fix of the configuration, and what it has cost so far.

Advice only; nothing in here acts. The fix and the cost get a line each before the list of advisories gets long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from inferguard_tui.formatting import about, parameter
from inferguard_tui.glyphs import UNKNOWN, bar
from inferguard_tui.line import EMPTY, Ink, Line, Span, flowed, left, line, width
from inferguard_tui.panels.ahead import ahead_detail, ahead_row, expected
from inferguard_tui.panels.anomalies import evidence_rows
from inferguard_tui.panels.remedy import fix_detail, fix_rows, impact_detail, impact_line
from inferguard_tui.panels.view import Content, Panel, View, listing, wrapped_block

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.frame import EndpointFrame
    from inferguard_core.verdict import Advisory

_CHANGES = {
    "target_concurrency": "running_now",
    "target_agents": "in_flight_now",
    "admit_per_second": "completions_per_second",
    "target_window": "window_now",
}
"""A parameter that is advised, and the one that holds what it is now."""
_UNITS = {"admit_per_second": " /s", "target_agents": " agents"}
_CHANGE_CELLS = 16
_HORIZON_CELLS = 9
_NAME_LEAST = 20
_TAGGED_FROM = 100
"""Below this width the tag is short and the bar too, so that what a confidence is worth still fits beside them."""


def standing(endpoint: EndpointFrame) -> tuple[Advisory, ...]:
    """The advisories that hold: those that no other has taken the place of."""
    return tuple(a for a in endpoint.advisories if a.superseded_by is None)


def change(parameters: Mapping[str, float | str], cells: int = 40) -> str:
    """`58 → 44`: what is advised, and what it is now; empty where nothing of the kind is known.

    Where `cells` are few the unit goes before a digit does.
    """
    for target, now in _CHANGES.items():
        if target in parameters:
            before = f"{parameter(now, parameters[now])} → " if now in parameters else "→ "
            bare = before + parameter(target, parameters[target])
            return whole if cell_len(whole := bare + _UNITS.get(target, "")) <= cells else bare
    return ""


def others(parameters: Mapping[str, float | str]) -> list[str]:
    """The parameters that `change` does not show."""
    target = next((t for t in _CHANGES if t in parameters), None)
    shown = () if target is None else (target, _CHANGES[target])
    return [f"{n.replace('_', ' ')} {parameter(n, g)}" for n, g in parameters.items() if n not in shown]


def horizon(advisory: Advisory) -> str:
    seconds = advisory.horizon_seconds
    if seconds is None:
        return f"when {UNKNOWN}"
    return about(seconds)


def advisory_row(advisory: Advisory, number: int, cells: int, name_cells: int = _NAME_LEAST) -> Line:
    """A pill: what, by how much, how sure, when; then as much of the rest as fits."""
    narrow = cells < _TAGGED_FROM
    changed = 12 if narrow else _CHANGE_CELLS
    long, short = (" ADVISORY ", " ADV ") if advisory.advisory_only else (" ACTION ", " ACT ")
    start = line(
        Span(f"[{number}] ", Ink.KEY),
        Span(f"{left(advisory.action_type, name_cells)} ", Ink.STRONG),
        Span(f"{left(change(advisory.parameters, changed), changed)} ", Ink.STRONG),
        Span(f"{bar(advisory.confidence, 5 if narrow else 12)} ", Ink.SERIES),
        Span(f"{advisory.confidence:.2f} "),
        Span(short if narrow else long, Ink.BADGE),
        Span(" "),
        Span(left(horizon(advisory), _HORIZON_CELLS), Ink.KEY),
    )
    doubt = () if advisory.calibrated else ("uncalibrated",)
    tried = (f"{advisory.helped} of {advisory.tried} helped",) if advisory.tried else ()
    rest = flowed((*doubt, *tried, *others(advisory.parameters)), cells - width(start) - 1)
    return line(*start, Span(f" {rest}" if rest else "", Ink.DIM))


def _rows(advisories: Sequence[Advisory], cells: int) -> list[Line]:
    names = max((len(a.action_type) for a in advisories), default=0)
    return [advisory_row(a, n, cells, max(_NAME_LEAST, names)) for n, a in enumerate(advisories, 1)]


def advisories_content(endpoint: EndpointFrame, view: View) -> Content:
    advisories, fix, impact = standing(endpoint), endpoint.fix, endpoint.impact
    told = line() if impact is None else impact_line(impact, endpoint, view.width)
    after = (fix is not None) + bool(told)
    rows = _rows(advisories, view.width)
    room = max(1, view.height - after)
    # In a single line the first to try says more than that there are others, which the title counts.
    body = rows[:1] if room == 1 else list(listing(rows, room, "advisories"))
    ahead = [ahead_row(a, view.width) for a in expected(endpoint)]
    body = body or ahead[:1] or [line(Span("none", Ink.DIM))]
    spare = view.height - len(body) - bool(told)
    if fix is not None and spare > 0:
        body += fix_rows(fix, view.width, spare)
    if told and len(body) < view.height:
        body.append(told)
    body += [row for row in ahead if row not in body]
    note = (
        "advice only"
        if endpoint.incident is not None or not (rows or fix or told)
        else "of the last incident"
    )
    note += f" · {len(rows) - 1} more" if room == 1 and len(rows) > 1 else ""
    return Content(tuple(body[: view.height]), note if rows or fix is not None or told or ahead else "")


def advisories_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    """Each advisory with its reason, parameters, needs and caveats; the whole fix; the cost with its sources."""
    rows: list[Line] = []
    cells = view.width
    for pill, advisory in zip(_rows(standing(endpoint), cells), standing(endpoint), strict=True):
        rows += [pill, *wrapped_block(f"    {advisory.reason}", cells, indent=4)]
        for name, given in advisory.parameters.items():
            rows += wrapped_block(f"    {name} {parameter(name, given)}", cells, Ink.DIM, 6)
        for noun, texts in (("needs", advisory.preconditions), ("but", advisory.caveats)):
            for text in texts:
                rows += wrapped_block(f"    {noun}: {text}", cells, Ink.DIM, 6)
        rows += [*evidence_rows(advisory.evidence, cells), EMPTY]
    if endpoint.fix is not None:
        rows += [*fix_detail(endpoint.fix, cells), EMPTY]
    if endpoint.impact is not None:
        rows += impact_detail(endpoint.impact, endpoint, cells)
    ahead = ahead_detail(endpoint, cells)
    return (*rows, *([EMPTY] if rows and ahead else []), *ahead)


ADVISORIES = Panel("advisories", "Advisories", advisories_content, detail=advisories_detail, measured=False)
