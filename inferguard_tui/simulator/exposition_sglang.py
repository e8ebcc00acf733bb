"""The page of an SGLang 0.5.23 engine: when each number is written matters as much as its name.

Scheduler gauges are reports: at a prefill batch, every forty decode steps and when the engine falls
idle. Token counters move when a request ends. Counters are absent until their first event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.metrics import Page
from inferguard_tui.simulator.scheduler_sglang import SchedulerSglang
from inferguard_tui.simulator.sglang_loop import LoopSeconds
from inferguard_tui.simulator.sglang_report import ReportGauges
from inferguard_tui.simulator.sglang_requests import HttpMetrics, TokenizerMetrics
from inferguard_tui.simulator.sglang_tokens import TokenCounters

if TYPE_CHECKING:
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step

VERSION = "0.5.23"
DECODE_LOG_INTERVAL = 40


class SglangPage:
    """Always in multiprocess mode: no `process_*`, no `_created`, nothing of a family without samples."""

    version = VERSION

    def __init__(self, size: EngineSize, started_at: float, started_unix: float) -> None:
        engine = {"engine_type": "unified", "model_name": size.model}
        page = Page({**engine, "moe_ep_rank": "0", "pp_rank": "0", "tp_rank": "0"}, multiprocess=True)
        self._page = page
        self._tokenizer = TokenizerMetrics(page, engine)
        self._http = HttpMetrics(page)
        self._tokens = TokenCounters(page, size.block_size)
        self._loop = LoopSeconds(page, started_at)
        # The kernel hands out process ids; the start time stands in for it and is as good a label.
        self._report = ReportGauges(page, size, pid=str(1000 + int(started_unix) % 30_000))
        self._decode_steps = 0

    def accepted(self, request: Request) -> None:
        self._http.accepted(request.handler)

    def closed(self, request: Request, now: float) -> None:  # noqa: ARG002 - SGLang times no HTTP exchange
        self._http.closed(request.handler)

    def refused(self, handler: str, status: int) -> None:
        self._http.accepted(handler)
        self._http.closed(handler, status)

    def aborted(self, request: Request) -> None:  # noqa: ARG002 - counted, not described
        self._tokenizer.aborted()

    def stepped(self, step: Step, scheduler: Scheduler) -> None:
        assert isinstance(scheduler, SchedulerSglang)
        self._loop.stepped(step.seconds)
        self._tokens.stepped(step, scheduler)
        self._tokenizer.stepped(step)
        if step.prefills:
            self._report.prefill(step, scheduler)
            self._tokens.flush()
            return
        self._decode_steps += 1
        self._report.decoded(step)
        if self._decode_steps % DECODE_LOG_INTERVAL == 0:
            self._report.decode(scheduler, step.ended_at)
            self._tokens.flush()

    def idled(self, scheduler: Scheduler, now: float) -> None:
        assert isinstance(scheduler, SchedulerSglang)
        if self._report.stale(scheduler):
            self._report.idle(scheduler, now)
            self._tokens.flush()

    def text(self, now: float, *, alive_at: float) -> str:  # noqa: ARG002 - the loop's own clock counts here
        """A scrape: it is itself an HTTP request, counted when it comes in and when it is answered."""
        self._loop.update(alive_at)
        self._http.accepted("/metrics", method="GET")
        self._tokenizer.update_cpu()
        text = self._page.text()
        self._http.closed("/metrics", method="GET")
        return text
