"""Every setting in force and where its value came from. A secret is set or unset and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_core.secret import SecretStr
from inferguard_tui.glyphs import UNKNOWN
from inferguard_tui.line import EMPTY, Ink, Line, Span, left, line, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inferguard_core.settings import Settings

_ORIGIN_CELLS = 24


def shown(value: object) -> str:
    """A value as it may be read by anybody who stands behind the chair."""
    if isinstance(value, SecretStr):
        return "set"
    if value is None or value == ():
        return UNKNOWN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(shown(each) for each in value)
    from inferguard_core.settings.problem import mask_userinfo

    text = f"{value:g}" if isinstance(value, float) else str(value)
    return printable(mask_userinfo(text), 400)


def settings_lines(settings: Settings, cells: int) -> tuple[Line, ...]:
    """By table, as in the settings file; a value that is no default stands out and says where it is from."""
    from inferguard_core.settings.catalogue import catalogue

    rows: list[Line] = []
    every = catalogue(settings.tables)
    width = max(len(row.field) for row in every.values())
    table = ""
    for key, row in every.items():
        if row.table != table:
            table = row.table
            rows += [EMPTY, line(Span(f"[{table}]", Ink.TITLE))]
        value = shown(getattr(getattr(settings, table), row.field))
        value = "unset" if row.secret and value == UNKNOWN else value
        rows += _row(row.field, value, settings.origin(key), width, cells)
    if settings.keys:
        rows += [EMPTY, line(Span("[keys]", Ink.TITLE))]
        width = max(map(len, settings.keys))
        for name, keys in settings.keys.items():
            rows += _row(name, printable(keys), settings.origin(f"keys.{name}"), width, cells)
    head = "Read-only; docs/settings.md says what each means and where it is set. Later places win:"
    order = "environment, .env, settings file, command line."
    return (*(line(Span(row, Ink.DIM)) for row in wrapped(f"{head} {order}", cells)), *rows)


def _row(name: str, value: str, origin: str, width: int, cells: int) -> Iterable[Line]:
    given = origin != "default"
    ink = Ink.STRONG if given else Ink.TEXT
    room = max(10, cells - width - 4 - _ORIGIN_CELLS)
    first, *more = wrapped(value, room) or [UNKNOWN]
    yield line(
        Span("● " if given else "  ", Ink.FOCUS),
        Span(left(name, width), ink),
        Span("  "),
        Span(left(first, room), ink),
        Span(_end_of(origin), Ink.TEXT if given else Ink.DIM),
    )
    for text in more:
        yield line(Span(" " * (width + 4)), Span(text))


def _end_of(origin: str) -> str:
    """A path is told by its end."""
    return origin if len(origin) <= _ORIGIN_CELLS else f"…{origin[1 - _ORIGIN_CELLS :]}"
