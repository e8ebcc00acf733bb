"""What stands in the labels of info families: configuration, and the size of vLLM's KV pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.engines import labels as roles
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from inferguard_core.engines.labels import Labels


def shown(labels: Labels) -> Mapping[str, str]:
    """The labels for people: without ranks, and safe to draw."""
    parts = dict(roles.part_of(labels))
    return {printable(k): printable(v) for k, v in parts.items()}


def capacity_tokens(infos: Iterable[Labels]) -> float | None:
    """Tokens the KV pools of all data-parallel engines hold; None where the page does not say.

    Every engine states its own `kv_cache_size_tokens` (vLLM 0.24 and later). Before that, `num_gpu_blocks` is
    already the sum over the engines although each of them states it; until it is profiled it reads `None`.
    """
    by_rank = {roles.rank_of(labels): labels for labels in infos}
    sizes = [_number(labels.get("kv_cache_size_tokens")) for labels in by_rank.values()]
    known = [size for size in sizes if size is not None]
    if known and len(known) == len(sizes):
        return sum(known)
    pools = [
        blocks * size
        for labels in by_rank.values()
        if (blocks := _number(labels.get("num_gpu_blocks"))) is not None
        and (size := _number(labels.get("block_size"))) is not None
    ]
    return max(pools, default=None)


def _number(text: str | None) -> float | None:
    """Python's `str()` of a positive int."""
    return float(text) if text is not None and text.isdecimal() and len(text) < 16 and int(text) else None
