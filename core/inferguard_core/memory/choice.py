"""Which memory the settings ask for. Cloud clients are loaded only where they are set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.memory.sqlite import SqliteMemory

if TYPE_CHECKING:
    from pathlib import Path

    from inferguard_core.memory.protocol import Memory
    from inferguard_core.settings.model import Memory as MemorySettings

STORE = "state.db"
SIMULATED_STORE = "simulated.db"
"""Simulated incidents are kept apart: nobody should be told that they happened."""


def store_path(chosen: MemorySettings, *, simulated: bool = False) -> Path:
    return chosen.state_dir / (SIMULATED_STORE if simulated else STORE)


def open_memory(
    chosen: MemorySettings, reopen_s: float, *, simulated: bool = False, read_only: bool = False
) -> Memory | None:
    """The memory that is set up, not started yet; None where it is off.

    `reopen_s` is the limit `reopen_within`; `read_only` is for those who only ask.
    """
    if chosen.mode == "off":
        return None
    targets = () if simulated else _targets(chosen)
    local = SqliteMemory(
        store_path(chosen, simulated=simulated),
        read_only=read_only or chosen.mode == "read_only",
        max_mib=chosen.max_mib,
        max_days=chosen.max_days,
        reopen_s=reopen_s,
        shared=targets,
    )
    return _shared(local, chosen) if targets else local


def _targets(chosen: MemorySettings) -> tuple[str, ...]:
    set_up = {"redis": chosen.redis_url, "vector": chosen.vector_url}
    return tuple(target for target, url in set_up.items() if url)


def _shared(local: SqliteMemory, chosen: MemorySettings) -> Memory:
    from inferguard_core.memory.upstash.sending import RedisSender, VectorSender
    from inferguard_core.memory.upstash.shared import SharedMemory

    redis = vector = None
    if chosen.redis_url and chosen.redis_token is not None:
        redis = RedisSender(local, chosen.redis_url, chosen.redis_token.get_secret_value())
    if chosen.vector_url and chosen.vector_token is not None:
        vector = VectorSender(local, chosen.vector_url, chosen.vector_token.get_secret_value())
    return SharedMemory(local, redis, vector)
