"""The quantities that conditions compare between before and now: each a pure function of a stretch.

The names are the keys of the learnt baselines as well, so that a comparison can rest on either.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from inferguard_core.reading import Engine
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.diagnose.stretch import Stretch

S = Signal
MEAN_MIN_N = 5
"""Requests under a mean length; fewer show one request."""
HIT_MIN_TOKENS = 200
"""Prompt tokens looked up under a hit rate of a few seconds; the rules ask for 2,000 a minute."""
SPEC_MIN_TOKENS = 200
"""Drafted tokens under an acceptance, as the rule on it asks."""


@dataclass(frozen=True, slots=True)
class Quantity:
    words: str
    """As a sentence about it begins: `arrivals`."""
    unit: str
    ask: Callable[[Stretch, Engine], float | None]
    signals: tuple[Signal, ...]
    """What it is computed from, for the source and for what would show it."""
    window_s: float = 30.0
    """Long enough for counts of a request a second, short enough to see a change within a minute."""
    floor: float = 0.0
    """Change too small to matter, in its unit; keeps a constant quantity from reading as infinite."""

    def shown(self, value: float) -> str:
        return shown(value, self.unit)


def shown(value: float, unit: str) -> str:
    """A number with its unit, as people write it."""
    match unit:
        case "ratio":
            return f"{value:.2f}"
        case "requests/s":
            return f"{value:.1f}/s" if value >= 0.1 or value == 0 else f"{value:.2f}/s"
        case "tokens/s":
            return f"{value:,.0f} tok/s"
        case "tokens":
            return f"{value:,.0f} tokens"
        case "seconds":
            return f"{value:.1f} s" if value >= 1 else f"{value * 1e3:.0f} ms"
        case _:
            return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def hung_up(span: Stretch, engine: Engine) -> float | None:
    """Calls answered 2xx that the engine never finished: on vLLM clients that hung up, counted nowhere else.

    SGLang counts its responses when they begin, so the difference says nothing there; it has an abort counter.
    """
    if engine is not Engine.VLLM:
        return None
    answered, finished = span.rise(S.HTTP_2XX), span.rise(S.FINISHED)
    return None if answered is None or finished is None else max(0.0, answered - finished)


def _arrivals(span: Stretch, engine: Engine) -> float | None:
    """By conservation: what left, plus what was added to the batch and the queue."""
    finished = span.rise(S.FINISHED)
    held = [span.rise(gauge) for gauge in (S.RUNNING, S.WAITING)]
    if finished is None or held[0] is None or held[1] is None:
        return None
    left = finished + (hung_up(span, engine) or 0.0)
    return max(0.0, left + held[0] + held[1]) / span.seconds


def _prompt_length(span: Stretch, engine: Engine) -> float | None:
    """Prompt tokens per request begun: live, where the histograms of lengths wait for the end of a request.

    vLLM times a first token of every request, SGLang only of those that stream, and the wait of each.
    """
    tokens, firsts = span.rise(S.PROMPT_TOKENS), span.observations(S.TTFT)
    if engine is Engine.SGLANG and (queued := span.observations(S.QUEUE_TIME)) is not None:
        firsts = queued
    if tokens is not None and firsts is not None and firsts.count >= MEAN_MIN_N:
        return tokens / firsts.count
    return span.mean(S.REQUEST_PROMPT_TOKENS, MEAN_MIN_N)


def _output_length(span: Stretch, _: Engine) -> float | None:
    mean = span.mean(S.REQUEST_GENERATION_TOKENS, MEAN_MIN_N)
    return mean if mean is not None else span.ratio(S.GENERATION_TOKENS, S.FINISHED, MEAN_MIN_N)


def _hit_rate(span: Stretch, _: Engine) -> float | None:
    return span.ratio(S.PREFIX_HITS, S.PREFIX_QUERIES, HIT_MIN_TOKENS)


def _computed(span: Stretch, _: Engine) -> float | None:
    rate = span.rate(S.PROMPT_TOKENS_COMPUTED)
    if rate is not None:
        return rate
    queries, hits = span.rate(S.PREFIX_QUERIES), span.rate(S.PREFIX_HITS)
    return None if queries is None or hits is None else max(0.0, queries - hits)


def _turnover(span: Stretch, engine: Engine) -> float | None:
    """Seconds in which as many tokens are written as the pool holds: how long a prefix nobody asks for lives."""
    pool, computed = span.last.get(S.KV_CAPACITY_TOKENS), _computed(span, engine)
    generated = span.rate(S.GENERATION_TOKENS)
    if not pool or computed is None or generated is None or computed + generated <= 0:
        return None
    return pool / (computed + generated)


def _tokens_held(span: Stretch, _: Engine) -> float | None:
    """KV tokens per running request, over the instants with any running."""
    held: list[float] = []
    for row in span.rows:
        running, usage, used = row.get(S.RUNNING), row.get(S.KV_USAGE), row.get(S.KV_USED_TOKENS)
        pool = row.get(S.KV_CAPACITY_TOKENS)
        if used is None and usage is not None and pool is not None:
            used = usage * pool
        if running and running >= 1 and used:
            held.append(used / running)
    return median(held) if held else None


def _step_tokens(span: Stretch, engine: Engine) -> float | None:
    """Tokens per scheduler step; only vLLM counts every step."""
    if engine is not Engine.VLLM:
        return None
    steps, generated = span.rise(S.ENGINE_STEPS), span.rise(S.GENERATION_TOKENS)
    computed = _computed(span, engine)
    if not steps or generated is None or computed is None:
        return None
    return (generated + computed * span.seconds) / steps


def _acceptance(span: Stretch, _: Engine) -> float | None:
    ratio = span.ratio(S.SPEC_ACCEPTED_TOKENS, S.SPEC_DRAFT_TOKENS, SPEC_MIN_TOKENS)
    return ratio if ratio is not None else span.median(S.SPEC_ACCEPT_RATE)


def _gauge(signal: Signal) -> Callable[[Stretch, Engine], float | None]:
    return lambda span, _: span.median(signal)


def _counter(signal: Signal) -> Callable[[Stretch, Engine], float | None]:
    return lambda span, _: span.rate(signal)


def _quantile(signal: Signal, q: float) -> Callable[[Stretch, Engine], float | None]:
    return lambda span, _: span.quantile(signal, q)


_HELD = (S.KV_USAGE, S.KV_CAPACITY_TOKENS, S.RUNNING)

QUANTITIES: dict[str, Quantity] = {
    "arrival_rate": Quantity("arrivals", "requests/s", _arrivals, (S.FINISHED, S.RUNNING, S.WAITING)),
    "prompt_length": Quantity("prompt length", "tokens", _prompt_length, (S.PROMPT_TOKENS, S.TTFT), floor=8),
    "output_length": Quantity(
        "output length", "tokens", _output_length, (S.REQUEST_GENERATION_TOKENS,), floor=8
    ),
    "prefix_hit_rate": Quantity(
        "prefix hit rate", "ratio", _hit_rate, (S.PREFIX_HITS, S.PREFIX_QUERIES), floor=0.05
    ),
    "prompt_cached_rate": Quantity(
        "cached prompt tokens", "tokens/s", _counter(S.PREFIX_HITS), (S.PREFIX_HITS,), floor=10
    ),
    "prompt_computed_rate": Quantity(
        "computed prompt tokens", "tokens/s", _computed, (S.PROMPT_TOKENS_COMPUTED,), floor=10
    ),
    "running": Quantity("running", "requests", _gauge(S.RUNNING), (S.RUNNING,), window_s=15, floor=2),
    "waiting": Quantity("waiting", "requests", _gauge(S.WAITING), (S.WAITING,), window_s=15, floor=2),
    "kv_usage": Quantity("KV usage", "ratio", _gauge(S.KV_USAGE), (S.KV_USAGE,), window_s=15, floor=0.05),
    "tokens_per_running": Quantity("KV tokens per running request", "tokens", _tokens_held, _HELD, floor=32),
    "finish_rate": Quantity("completions", "requests/s", _counter(S.FINISHED), (S.FINISHED,)),
    "prompt_rate": Quantity(
        "prompt tokens", "tokens/s", _counter(S.PROMPT_TOKENS), (S.PROMPT_TOKENS,), floor=10
    ),
    "evicted_rate": Quantity(
        "evicted tokens", "tokens/s", _counter(S.EVICTED_TOKENS), (S.EVICTED_TOKENS,), floor=10
    ),
    "turnover": Quantity(
        "pool turnover", "seconds", _turnover, (S.KV_CAPACITY_TOKENS, S.PROMPT_TOKENS_COMPUTED)
    ),
    "step_tokens": Quantity("tokens per step", "tokens", _step_tokens, (S.ENGINE_STEPS,), floor=16),
    "spec_acceptance": Quantity("draft acceptance", "ratio", _acceptance, (S.SPEC_ACCEPTED_TOKENS,), 60),
    "new_token_ratio": Quantity("new_token_ratio", "ratio", _gauge(S.NEW_TOKEN_RATIO), (S.NEW_TOKEN_RATIO,)),
    "ttft_p95": Quantity("TTFT p95", "seconds", _quantile(S.TTFT, 0.95), (S.TTFT,), 60),
    "itl_p50": Quantity("ITL p50", "seconds", _quantile(S.ITL, 0.5), (S.ITL,)),
    "itl_p95": Quantity("ITL p95", "seconds", _quantile(S.ITL, 0.95), (S.ITL,)),
}
