"""What an engine of a given version can tell, and what it takes to make it: derived from the same rows.

It judges versions and flags only. Whether a number that is there can be trusted is said by the reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from inferguard_core.engines.table import TABLES, Table
from inferguard_core.engines.version import OLDEST, Version, parse_version, previous_minor
from inferguard_core.reading import Engine, Reading
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from inferguard_core.engines.row import Pick, Span


class Visibility(StrEnum):
    READ = "read"
    RENAMED = "renamed"
    """Read under another name than the newest, which this version or page does not show."""
    HIDDEN = "hidden"
    """The engine has it and needs a flag to show it."""
    NOT_YET = "not_yet"
    """This version exports it, but not here: the feature is off, or nothing has happened yet."""
    ABSENT = "absent"
    """No such thing in this version."""


@dataclass(frozen=True, slots=True)
class Capability:
    """How one signal can be had from the engine at hand."""

    signal: Signal
    state: Visibility
    name: str | None
    """The exposed name it was read from."""
    remedy: str
    """The flag or version that would show it, or why none can; empty where it is read."""


def capabilities(reading: Reading, version: str | None) -> tuple[Capability, ...]:
    """Every signal of the vocabulary, in its order; empty for an unknown engine.

    Args:
        reading: Of a page of the engine.
        version: By /version or /server_info. None: the newest name that was read stands in for it.
    """
    table = TABLES.get(reading.engine)
    if table is None:
        return ()
    known = parse_version(version) or _proven(table, reading.spellings.values())
    return tuple(_capability(signal, table, reading, known) for signal in Signal)


def remedy(signal: Signal, engine: Engine, version: str | None, generation: str) -> str:
    """The flag or version that would show a signal which a page does not hold; empty when there is none."""
    table = TABLES.get(engine)
    if table is None:
        return ""
    return _missing(signal, table, parse_version(version), generation)[1]


def obtainable(signal: Signal, engine: Engine, version: str | None, generation: str) -> str:
    """What an operator could change to have the signal shown, a flag or a version; empty where nothing would."""
    table = TABLES.get(engine)
    row = table.rows.get(signal) if table is not None else None
    if table is None or row is None:
        return ""
    words = _missing(signal, table, parse_version(version), generation)[1]
    # A note is about how the engine works; only one with a flag in it can be acted on.
    return words if words != row.note or "--" in words else ""


def _capability(signal: Signal, table: Table, reading: Reading, version: Version) -> Capability:
    name = reading.spellings.get(signal)
    if name is None:
        state, words = _missing(signal, table, version, reading.generation)
        return Capability(signal, state, None, words)
    first = table.rows[signal].choices[0]
    newest = any(name.startswith(str(pick)) for pick in first.picks)
    return Capability(signal, Visibility.READ if newest else Visibility.RENAMED, name, "")


def _missing(
    signal: Signal, table: Table, version: Version | None, generation: str
) -> tuple[Visibility, str]:
    row = table.rows.get(signal)
    if row is None:
        return Visibility.ABSENT, ""
    if version is None:
        return Visibility.NOT_YET, row.note
    spans = [
        (_since(pick, span), span) for c in row.choices for pick in c.deciding for span in _spans(table, pick)
    ]
    held = [span for since, span in spans if since <= version and span.holds(version, generation)]
    if not held:
        return Visibility.ABSENT, _elsewhere(table, spans, version, generation) or row.note
    if all(span.hides(version) for span in held):
        return Visibility.HIDDEN, f"--show-hidden-metrics-for-version={previous_minor(version)}"
    return Visibility.NOT_YET, row.note


def _elsewhere(table: Table, spans: Iterable[tuple[Version, Span]], version: Version, generation: str) -> str:
    """The later version or the other engine generation that has it; empty for neither."""
    if generation == "V0" and any(span.holds(version) for _, span in spans):
        return "exported by this version's V1 engine (VLLM_USE_V1=1)"
    later = [since for since, _ in spans if since > version]
    return f"exported by {_name(table.engine)} {_spelled(min(later))} and later" if later else ""


def _spans(table: Table, pick: Pick) -> tuple[Span, ...]:
    family = table.by_name.get(pick.name) or table.families.get(pick.name)
    return family.spans if family is not None else ()


def _since(pick: Pick, span: Span) -> Version:
    return max(parse_version(pick.since) or OLDEST, parse_version(span.since) or OLDEST)


def _proven(table: Table, spellings: Iterable[str]) -> Version:
    """The version that the newest of these names came with."""
    names: Mapping[str, None] = dict.fromkeys(
        part.partition("{")[0] for spelling in spellings for part in spelling.split(" + ")
    )
    families = (table.families.get(name) or table.by_name.get(name) for name in names)
    return max((f.since for f in families if f is not None), default=OLDEST)


def _name(engine: Engine) -> str:
    return {Engine.VLLM: "vLLM", Engine.SGLANG: "SGLang"}.get(engine, engine.value)


def _spelled(version: Version) -> str:
    major, minor, patch, post = version
    return f"{major}.{minor}.{patch}" + (f".post{post}" if post else "")
