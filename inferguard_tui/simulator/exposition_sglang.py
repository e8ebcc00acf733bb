"""The page of an SGLang 0.5.23 engine: when each number is written matters as much as its name.

Scheduler gauges are reports: at a prefill batch, every forty decode steps and when the engine falls
idle. Token counters move when a request ends. Counters are absent until their first event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.metrics import Page
from inferguard_tui.simulator.request import FinishReason
from inferguard_tui.simulator.scheduler_sglang import SchedulerSglang
from inferguard_tui.simulator.sglang_loop import LoopSeconds
from inferguard_tui.simulator.sglang_report import ReportGauges
from inferguard_tui.simulator.sglang_requests import HttpMetrics, TokenizerMetrics
from inferguard_tui.simulator.sglang_tokens import TokenCounters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.rank import Rank
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step

VERSION = "0.5.23"
DECODE_LOG_INTERVAL = 40


class SglangScheduler:
    """What one scheduler process reports; with data parallelism its series carry `dp_rank`."""

    def __init__(self, page: Page, size: EngineSize, started_at: float, pid: int) -> None:
        self._tokens = TokenCounters(page, size.block_size)
        self._loop = LoopSeconds(page, started_at)
        self._report = ReportGauges(page, size, pid=str(pid))
        self._decode_steps = 0

    def stepped(self, step: Step, scheduler: SchedulerSglang) -> None:
        self._loop.stepped(step.seconds)
        self._tokens.stepped(step, scheduler)
        if step.prefills:
            self._report.prefill(step, scheduler)
            self._tokens.flush()
            return
        self._decode_steps += 1
        self._report.decoded(step)
        if self._decode_steps % DECODE_LOG_INTERVAL == 0:
            self._report.decode(scheduler, step.ended_at)
            self._tokens.flush()

    def idled(self, scheduler: SchedulerSglang, now: float) -> None:
        if self._report.stale(scheduler):
            self._report.idle(scheduler, now)
            self._tokens.flush()

    def update(self, alive_at: float) -> None:
        """Bring the heartbeat up to the loop's last turn."""
        self._loop.update(alive_at)


class SglangPage:
    """Always in multiprocess mode: no `process_*`, no `_created`, nothing of a family without samples."""

    version = VERSION

    def __init__(self, size: EngineSize, started_at: float, started_unix: float) -> None:
        engine = {"engine_type": "unified", "model_name": size.model}
        page = Page({**engine, "moe_ep_rank": "0", "pp_rank": "0", "tp_rank": "0"}, multiprocess=True)
        self._page = page
        self._tokenizer = TokenizerMetrics(page, engine)
        self._http = HttpMetrics(page)
        # The kernel hands out process ids; the start time stands in for it and is as good a label.
        pid = 1000 + int(started_unix) % 30_000
        pages = [page.rank(dp_rank=str(rank)) for rank in range(size.data_parallel)]
        self._schedulers = [
            SglangScheduler(view, size, started_at, pid + rank)
            for rank, view in enumerate(pages if size.data_parallel > 1 else [page])
        ]

    def accepted(self, request: Request) -> None:
        self._http.accepted(request.handler)

    def closed(self, request: Request, now: float) -> None:  # noqa: ARG002 - SGLang times no HTTP exchange
        failed = request.finish_reason is FinishReason.ERROR and not request.streaming
        self._http.closed(request.handler, 500 if failed else 200)

    def refused(self, handler: str, status: int) -> None:
        self._http.accepted(handler)
        self._http.closed(handler, status)

    def aborted(self, request: Request) -> None:  # noqa: ARG002 - counted, not described
        self._tokenizer.aborted()

    def stepped(self, step: Step, rank: Rank) -> None:
        assert isinstance(rank.scheduler, SchedulerSglang)
        self._tokenizer.stepped(step)
        self._schedulers[rank.index].stepped(step, rank.scheduler)

    def idled(self, rank: Rank, now: float) -> None:
        assert isinstance(rank.scheduler, SchedulerSglang)
        self._schedulers[rank.index].idled(rank.scheduler, now)

    def text(self, now: float, *, alive_at: Sequence[float]) -> str:  # noqa: ARG002 - the loops' own clocks count
        """A scrape: it is itself an HTTP request, counted when it comes in and when it is answered."""
        for scheduler, last_turn in zip(self._schedulers, alive_at, strict=True):
            scheduler.update(last_turn)
        self._http.accepted("/metrics", method="GET")
        self._tokenizer.update_cpu()
        text = self._page.text()
        self._http.closed("/metrics", method="GET")
        return text
