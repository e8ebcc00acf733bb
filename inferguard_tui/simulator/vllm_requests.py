"""vLLM V1 metrics of requests and speculation: which number moves at the first token, per token or at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator import edges
from inferguard_tui.simulator.request import FinishReason, Request

if TYPE_CHECKING:
    from inferguard_tui.simulator.metrics import Page
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step


class RequestMetrics:
    """Outcome counters and all histograms of a V1 page."""

    def __init__(self, page: Page, size: EngineSize) -> None:
        self._outcomes(page)
        tokens = edges.token_edges(size.max_model_len)
        latency = edges.VLLM_REQUEST
        self._prompt = page.histogram("vllm:request_prompt_tokens", "Prompt tokens per request", tokens)
        self._generation = page.histogram(
            "vllm:request_generation_tokens", "Generated tokens per request", tokens
        )
        self._iteration = page.histogram(
            "vllm:iteration_tokens_total", "Tokens per engine step", edges.VLLM_ITERATION
        )
        self._max_generation = page.histogram(
            "vllm:request_max_num_generation_tokens", "Longest output asked for per request", tokens
        )
        self._n = page.histogram("vllm:request_params_n", "Parameter n of requests", edges.VLLM_N)
        self._max_tokens = page.histogram("vllm:request_params_max_tokens", "Parameter max_tokens", tokens)
        self._ttft = page.histogram(
            "vllm:time_to_first_token_seconds", "Time to first token", edges.VLLM_TTFT
        )
        self._itl = page.histogram("vllm:inter_token_latency_seconds", "Inter-token latency", edges.VLLM_ITL)
        self._tpot = page.histogram(
            "vllm:request_time_per_output_token_seconds", "Decode time per token of a request", edges.VLLM_ITL
        )
        self._e2e = page.histogram("vllm:e2e_request_latency_seconds", "Request latency", latency)
        self._queue = page.histogram("vllm:request_queue_time_seconds", "Time queued", latency)
        self._inference = page.histogram("vllm:request_inference_time_seconds", "Time running", latency)
        self._prefill = page.histogram("vllm:request_prefill_time_seconds", "Time in prefill", latency)
        self._decode = page.histogram("vllm:request_decode_time_seconds", "Time in decode", latency)
        self._preemptions = page.histogram(
            "vllm:request_num_preemptions", "Preemptions per request", edges.VLLM_PREEMPTIONS
        )
        self._computed = page.histogram(
            "vllm:request_prefill_kv_computed_tokens", "Prompt tokens computed per request", tokens
        )

    def stepped(self, step: Step, prompts: int) -> None:
        """`prompts` are the prompt tokens of the requests whose first token came out in this step."""
        self._iteration.observe(prompts + step.generated)
        for request in step.first_tokens:
            self._ttft.observe(step.ended_at - request.arrived_at)
        for gap, count in step.gaps.items():
            self._itl.observe(gap, count)
        for request in step.finished:
            self._finished(request, step.ended_at)
        for request in step.failed:
            self._success[FinishReason.ERROR].value += 1
            self._e2e.observe(step.ended_at - request.arrived_at)

    def _outcomes(self, page: Page) -> None:
        success = page.family("vllm:request_success_total", "counter", "Finished requests by reason")
        by_reason = {
            reason: success.value({**page.common, "finished_reason": reason})
            for reason in ("stop", "length", "abort", "error", "repetition")
        }
        self._success = {reason: by_reason[reason.value] for reason in FinishReason}
        rejections = page.family(
            "vllm:admission_rejections_total", "counter", "Requests refused by a queue limit"
        )
        # The API server refuses, not a core: one child however many cores there are.
        for reason in () if rejections.children else ("max_num_queued_reqs", "max_num_queued_tokens"):
            rejections.value({"model_name": page.common["model_name"], "reason": reason})

    def _finished(self, request: Request, now: float) -> None:
        assert request.finish_reason is not None
        assert request.admitted_at is not None
        assert request.first_token_at is not None
        self._success[request.finish_reason].value += 1
        decode = now - request.first_token_at
        self._prompt.observe(request.prompt_tokens)
        self._generation.observe(request.generated)
        self._max_generation.observe(request.generated)
        self._n.observe(1)
        self._max_tokens.observe(request.max_tokens)
        self._tpot.observe(decode / (request.generated - 1) if request.generated > 1 else 0.0)
        self._e2e.observe(now - request.arrived_at)
        self._queue.observe(request.admitted_at - request.queued_at)
        self._inference.observe(now - request.admitted_at)
        self._prefill.observe(request.first_token_at - request.admitted_at)
        self._decode.observe(decode)
        self._preemptions.observe(request.preemptions)
        self._computed.observe(request.prompt_tokens - request.cached_tokens)


class SpeculationMetrics:
    """Draft counters; present only when the engine was started with speculative decoding."""

    def __init__(self, page: Page, positions: int) -> None:
        self._drafts = page.counter("vllm:spec_decode_num_drafts_total", "Drafts")
        self._tokens = page.counter("vllm:spec_decode_num_draft_tokens_total", "Tokens drafted")
        self._accepted = page.counter("vllm:spec_decode_num_accepted_tokens_total", "Drafted tokens accepted")
        family = page.family(
            "vllm:spec_decode_num_accepted_tokens_per_pos_total", "counter", "Accepted tokens by position"
        )
        self._positions = [
            family.value({**page.common, "position": str(position)}) for position in range(positions)
        ]

    def stepped(self, step: Step) -> None:
        self._drafts.value += step.drafts
        self._tokens.value += step.draft_tokens
        self._accepted.value += sum(step.accepted_by_position)
        for value, accepted in zip(self._positions, step.accepted_by_position, strict=True):
            value.value += accepted
