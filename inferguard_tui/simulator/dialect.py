"""Which engine is simulated: its scheduler, its page and its version belong together."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from inferguard_tui.simulator.exposition_sglang import SglangPage
from inferguard_tui.simulator.exposition_vllm import VllmPage
from inferguard_tui.simulator.exposition_vllm_v0 import VllmV0Page
from inferguard_tui.simulator.scheduler_sglang import SchedulerSglang
from inferguard_tui.simulator.scheduler_v0 import SchedulerV0
from inferguard_tui.simulator.scheduler_v1 import SchedulerV1

if TYPE_CHECKING:
    import random

    from inferguard_tui.simulator.exposition import Exposition
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.size import EngineSize


class Dialect(StrEnum):
    VLLM_V1 = "vllm"
    VLLM_V0 = "vllm-v0"
    SGLANG = "sglang"

    @property
    def engine(self) -> str:
        """`vllm` or `sglang`, as labels files say it."""
        return "sglang" if self is Dialect.SGLANG else "vllm"

    @property
    def version(self) -> str:
        """The release whose page this is."""
        if self is Dialect.SGLANG:
            return SglangPage.version
        return VllmV0Page.version if self is Dialect.VLLM_V0 else VllmPage.version

    def schedulers(
        self, size: EngineSize, jitter: random.Random, acceptance: random.Random
    ) -> list[Scheduler]:
        """One for each data-parallel core; V0 has none of that and stays one."""
        if self is Dialect.VLLM_V0:
            return [SchedulerV0(size, jitter, acceptance)]
        kind = SchedulerSglang if self is Dialect.SGLANG else SchedulerV1
        return [kind(size, jitter, acceptance) for _ in range(size.data_parallel)]

    def page(self, size: EngineSize, started_at: float, started_unix: float) -> Exposition:
        if self is Dialect.SGLANG:
            return SglangPage(size, started_at, started_unix)
        return (VllmV0Page if self is Dialect.VLLM_V0 else VllmPage)(size, started_unix)
