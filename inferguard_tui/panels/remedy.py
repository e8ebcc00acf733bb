"""The fix of the configuration and the cost of the incident, as lines.

A value that the engine does not expose is the person's own; a cost that is not known is left out, and one that
is estimated says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from inferguard_core.printable import printable
from inferguard_tui.formatting import amount, duration, percent
from inferguard_tui.glyphs import UNKNOWN
from inferguard_tui.line import Ink, Line, Span, clauses, flowed, in_ink, line
from inferguard_tui.panels.view import filled, wrapped_block

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame
    from inferguard_core.verdict import Fix, FlagChange, Impact

_FIX = "Fix     "
_IMPACT = "Impact  "
_INDENT = len(_FIX)


def flag_words(change: FlagChange, unknown: str = "your current value") -> str:
    """`--max-num-seqs 256 → 72`; a switch has no value to go to. `unknown` stands for one that is not exposed."""
    now = unknown if change.current is None else printable(change.current, 60)
    to = f" {now} → {printable(change.proposed, 60)}" if change.proposed else " on"
    return printable(change.flag, 60) + to


def flag_rows(fix: Fix, cells: int, most: int) -> tuple[Line, ...]:
    """The flags in at most `most` lines, those that do not fit counted; without a flag, what to do instead.

    A change is not broken between its flag and its values where a line can hold it.
    """
    room = cells - _INDENT
    if not fix.changes:
        instead = clauses(printable(fix.instead[0]), room - 9) if fix.instead else ""
        return (line(Span(_FIX, Ink.TITLE), Span(f"no flag: {instead}" if instead else "no flag helps")),)
    rows: list[str] = []
    for words in (flag_words(change, UNKNOWN) for change in fix.changes):
        joined = f"{rows[-1]} · {words}" if rows else words
        if rows and cell_len(joined) <= room:
            rows[-1] = joined
        else:
            rows.append(words)
    if len(rows) > most:
        rows = _counted(rows, most, room)
    return tuple(
        line(Span(_FIX if n == 0 else " " * _INDENT, Ink.TITLE), Span(clauses(row, room), Ink.STRONG))
        for n, row in enumerate(rows)
    )


def _counted(rows: list[str], most: int, room: int) -> list[str]:
    """The first `most` rows; the last ends with how many changes were left out, and gives one up if it must."""
    kept, left_out = rows[:most], sum(row.count(" · ") + 1 for row in rows[most:])
    if cell_len(f"{kept[-1]} · {left_out} more") > room and " · " in kept[-1]:
        kept[-1] = kept[-1].rpartition(" · ")[0]
        left_out += 1
    return [*kept[:-1], f"{kept[-1]} · {left_out} more"]


def one_line_command(fix: Fix) -> str:
    """The command without its line breaks."""
    return " ".join(fix.command.replace("\\\n", " ").split())


def _labelled(label: str, text: str, cells: int, ink: Ink = Ink.DIM) -> tuple[Line, ...]:
    return wrapped_block(f"{' ' * _INDENT}{label}: {text}", cells, ink, _INDENT + 2) if text else ()


def fix_rows(fix: Fix, cells: int, height: int) -> tuple[Line, ...]:
    """The fix in at most `height` lines: flags, then command, effect, cost and why, as far as they fit whole."""
    flags = flag_rows(fix, cells, height)
    blocks = [
        _labelled("command", one_line_command(fix), cells),
        _labelled("effect", fix.effect, cells),
        _labelled("cost", fix.cost, cells),
        _labelled("why", fix.why, cells),
        *(_labelled("instead", text, cells) for text in fix.instead[0 if fix.changes else 1 :]),
    ]
    return (*flags, *filled(blocks, height - len(flags))[0])


def fix_detail(fix: Fix, cells: int) -> tuple[Line, ...]:
    """All of it; the command as it would be typed."""
    rows: list[Line] = [line(Span("Fix", Ink.TITLE))]
    for change in fix.changes:
        since = f"  (since {change.since})" if change.since else ""
        rows += wrapped_block(f"    {flag_words(change)}{since}", cells, Ink.STRONG, 6)
    if fix.command:
        rows += [line(Span(f"    {printable(row)}")) for row in fix.command.split("\n")]
    told = [("why", fix.why), ("effect", fix.effect), ("cost", fix.cost), ("check", fix.check)]
    told += [("instead", text) for text in fix.instead] + [("note", text) for text in fix.notes]
    if fix.flags_of:
        told.append(("flag table", f"read up to version {fix.flags_of}; only flags that the engine here has"))
    for label, text in told:
        rows += wrapped_block(f"    {label}: {text}", cells, Ink.DIM, 6) if text else ()
    return tuple(rows)


def impact_words(impact: Impact) -> list[str]:
    """The known costs; a count of zero is said, for it is good news."""
    told = (
        ("{} over goal", impact.seconds_over_objective, duration),
        ("{} request{s} delayed", impact.requests_delayed, amount),
        ("{} failed", impact.requests_failed, amount),
        ("≈ {} tokens recomputed (estimate)", impact.tokens_recomputed_estimate, amount),
        ("peak {} waiting", impact.peak_waiting, amount),
        ("peak KV {}", impact.peak_kv_usage, percent),
    )
    return [
        words.format(text := form(known), s="" if text == "1" else "s")
        for words, known, form in told
        if known is not None
    ]


def impact_line(impact: Impact, endpoint: EndpointFrame, cells: int) -> Line:
    """What the incident has cost so far, or cost at last; empty where nothing of it is known."""
    words = flowed(impact_words(impact), cells - len(_IMPACT))
    row = line(Span(_IMPACT, Ink.TITLE), Span(words)) if words else line()
    return row if endpoint.incident is not None else in_ink(row, Ink.DIM)


def impact_detail(impact: Impact, endpoint: EndpointFrame, cells: int) -> tuple[Line, ...]:
    """The costs with the exposed names that they rest on."""
    lasted = duration(impact.until_unix - impact.since_unix)
    which = "so far" if endpoint.incident is not None else "of the last incident"
    rows: list[Line] = [line(Span(f"Impact {which}, {lasted}", Ink.TITLE))]
    for words in impact_words(impact):
        rows += wrapped_block(f"    {words}", cells, indent=6)
    for name, source in impact.sources.items():
        rows += wrapped_block(f"    {name.replace('_', ' ')} from {source}", cells, Ink.DIM, 6)
    return tuple(rows)
