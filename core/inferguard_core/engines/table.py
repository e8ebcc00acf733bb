"""The two tables, indexed: from an exposed sample name to its family, and from a signal to its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from inferguard_core.engines import sglang, vllm
from inferguard_core.engines.row import Family, Kind, Row
from inferguard_core.reading import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from inferguard_core.signals import Signal

ALIASES: Final = (
    ("ray_vllm_", "vllm:"),
    ("ray_vllm:", "vllm:"),
    ("vllm_", "vllm:"),
    ("sglang_", "sglang:"),
)
"""Prefixes of re-exports, which may not use a colon: Ray Serve, gateways, SGLang's own /v1/loads."""

_PARTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.HISTOGRAM: ("_bucket", "_sum", "_count"),
    Kind.SUMMARY: ("_sum", "_count"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """Everything known of one engine's page. Built once, never changed."""

    engine: Engine
    prefix: str
    families: Mapping[str, Family]
    """By sample name: a histogram stands under each of its suffixes."""
    by_name: Mapping[str, Family]
    """By the name in the table. A name that changed its kind stands for its first."""
    rows: Mapping[Signal, Row]
    plain: tuple[Family, ...]
    """Families whose value is not a signal's as it stands; they are read under plain ids."""


def canonical(name: str) -> str:
    """The name as the engine itself would spell it."""
    for alias, prefix in ALIASES:
        if name.startswith(alias):
            return prefix + name[len(alias) :]
    return name


def is_known(name: str) -> bool:
    """Whether a sample of this name is read from any engine's page."""
    spelled = canonical(name)
    return spelled in VLLM.families or spelled in SGLANG.families


def _table(engine: Engine, prefix: str, families: tuple[Family, ...], rows: Iterable[Row]) -> Table:
    samples = {f.name + part: f for f in families for part in _PARTS.get(f.kind, ("",))}
    by_signal = {r.signal: r for r in rows}
    whole = {
        p.name
        for r in by_signal.values()
        for c in r.choices
        if len(c.picks) == 1
        for p in c.picks
        if not p.where
    }
    plain = tuple(f for f in families if f.kind is not Kind.INFO and (f.name not in whole or f.per))
    return Table(engine, prefix, samples, {f.name: f for f in reversed(families)}, by_signal, plain)


VLLM: Final = _table(Engine.VLLM, vllm.PREFIX, vllm.FAMILIES, vllm.ROWS)
SGLANG: Final = _table(Engine.SGLANG, sglang.PREFIX, sglang.FAMILIES, sglang.ROWS)
TABLES: Final[Mapping[Engine, Table]] = {Engine.VLLM: VLLM, Engine.SGLANG: SGLANG}
