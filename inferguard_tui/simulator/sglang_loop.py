"""SGLang's heartbeat: the scheduler loop accounts for every second it lives, busy or idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferguard_tui.simulator.metrics import Page

BUSY_SHARES = {
    "recv_requests": 0.02,
    "process_input_requests": 0.01,
    "get_next_batch_to_run": 0.04,
    "run_batch": 0.83,
    "process_batch_result": 0.08,
    "other": 0.02,
}
"""How a busy second of the loop divides on a GPU, where the forward pass dominates."""
CPU_SHARE_BUSY = 0.9
CPU_SHARE_IDLE = 0.25
"""The loop polls its sockets even when idle."""


class LoopSeconds:
    """All of it moves between batches only, so a frozen loop is flat and jumps when it goes on."""

    def __init__(self, page: Page, started_at: float) -> None:
        self._started_at = started_at
        self._busy = 0.0
        self._idle_total = page.counter(
            "sglang:scheduler_idle_seconds_total", "Seconds without runnable or queued work"
        )
        self._cpu = page.counter("sglang:scheduler_process_cpu_seconds_total", "CPU seconds of the scheduler")
        stages = page.family(
            "sglang:scheduler_stage_seconds_total", "counter", "Seconds of the scheduler loop by stage"
        )
        self._stages = {
            stage: stages.value({**page.common, "category": stage, "forward_overlap": "none"})
            for stage in (*BUSY_SHARES, "process_queue", "sanity_check_cache", "idle")
        }

    def stepped(self, seconds: float) -> None:
        self._busy += seconds

    def update(self, alive_at: float) -> None:
        """Write what the loop has accounted for up to its last turn."""
        idle = max(self._idle_total.value, alive_at - self._started_at - self._busy)
        self._idle_total.value = idle
        self._stages["idle"].value = idle
        for stage, share in BUSY_SHARES.items():
            self._stages[stage].value = self._busy * share
        self._cpu.value = self._busy * CPU_SHARE_BUSY + idle * CPU_SHARE_IDLE
