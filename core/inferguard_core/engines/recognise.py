"""Whose page is this, and which generation of vLLM wrote it: decided by the names alone, never by HELP texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.engines.table import SGLANG, VLLM, Table, canonical
from inferguard_core.engines.version import OLDEST, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from inferguard_core.engines.row import Family

_V1_SINCE: Final = (0, 7, 1, 0)
_V1_ONLY_SINCE: Final = (0, 11, 0, 0)
_ENGINE_LABEL_SINCE: Final = (0, 8, 3, 0)
_LATENCY_FAMILY: Final = "vllm:e2e_request_latency_seconds"
"""On every V0 page since before 0.4; V1 got it in 0.7.3, together with families that only V1 has."""

_STRANGERS: Final = (
    (("smg_", "sgl_router_"), "a page of the SGLang gateway: poll its workers instead"),
    (("lmcache:",), "a page of LMCache: poll the engine instead"),
    (("tgi_",), "a page of TGI, which is not supported"),
    (("trtllm_", "nv_"), "a page of Triton without vLLM metrics"),
    (
        ("process_", "python_", "http_"),
        "a Python server without engine metrics: wrong port, or vLLM started with --disable-log-stats",
    ),
)


def table_of(names: Iterable[str]) -> Table | None:
    """The table of the engine that most of these names belong to; None for neither."""
    spelled = tuple(names)
    counts = {table.engine: sum(_belongs(name, table) for name in spelled) for table in (VLLM, SGLANG)}
    if not any(counts.values()):
        return None
    return VLLM if counts[VLLM.engine] >= counts[SGLANG.engine] else SGLANG


def _belongs(name: str, table: Table) -> bool:
    """Any name with the engine's own prefix; of a re-export, whose prefix others may use too, the known ones."""
    if name.startswith(table.prefix):
        return True
    spelled = canonical(name)
    return spelled.startswith(table.prefix) and (spelled in table.families or spelled in table.by_name)


def stranger(names: Iterable[str]) -> str:
    """What a page of neither engine seems to be, for a person."""
    seen = tuple(names)
    guess = next(
        (text for prefixes, text in _STRANGERS if any(n.startswith(prefixes) for n in seen)),
        "wrong port, or another program" if seen else "an empty page",
    )
    return f"no vllm: or sglang: metrics: {guess}"


def generation(present: AbstractSet[str], engine_label: bool, version: Version | None) -> str:
    """`V0`, `V1`, or empty where the page does not show it.

    Args:
        present: Names of the vLLM families on the page.
        engine_label: Whether num_requests_running has an `engine` label.
        version: The server's own word, if known.
    """
    if engine_label or present & _ONLY["V1"]:
        return "V1"
    if present & _ONLY["V0"]:
        return "V0"
    if version is not None and (version < _V1_SINCE or version >= _V1_ONLY_SINCE):
        return "V0" if version < _V1_SINCE else "V1"
    if "vllm:num_requests_running" not in present:
        return ""
    if version is not None and version >= _ENGINE_LABEL_SINCE:
        return "V0"
    return "V0" if _LATENCY_FAMILY in present else "V1"


def oldest_possible(families: Iterable[Family], version: Version | None) -> Version:
    """The server's own word or the version that the newest family on the page came with, the later one.

    A development build may say 0.0.0. A page that also holds a family which was gone by the time of its
    newest is of no release, and proves nothing.
    """
    seen = tuple(families)
    proven = max((f.since for f in seen), default=OLDEST)
    gone = [f.until for f in seen if f.until is not None]
    if gone and min(gone) < proven:
        proven = OLDEST
    return max(proven, version or OLDEST)


def _of_one_generation() -> Mapping[str, AbstractSet[str]]:
    found: dict[str, set[str]] = {"V0": set(), "V1": set()}
    for family in VLLM.by_name.values():
        generations = {span.generation for span in family.spans}
        if len(generations) == 1 and "" not in generations:
            found[generations.pop()].add(family.name)
    return {name: frozenset(names) for name, names in found.items()}


_ONLY: Final = _of_one_generation()
