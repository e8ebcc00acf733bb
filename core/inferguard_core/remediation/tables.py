"""The flag tables by engine, and the names under which running values are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.reading import Engine
from inferguard_core.remediation.sglang_flags import CONTEXT, SGLANG
from inferguard_core.remediation.vllm_flags import VLLM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.remediation.flag import FlagTable

TABLES: Final[Mapping[Engine, FlagTable]] = {Engine.VLLM: VLLM, Engine.SGLANG: SGLANG}


def exposed_names(engine: Engine) -> frozenset[str]:
    """Server arguments worth keeping in `EndpointFacts.config` for this engine."""
    table = TABLES.get(engine)
    if table is None:
        return frozenset()
    named = {flag.exposed for flag in table.flags.values() if flag.exposed}
    return frozenset(named | set(CONTEXT if engine is Engine.SGLANG else ()))
