"""A synthetic vLLM whose numbers are functions of time, sampled at any interval: what is true does not depend on polls.

Phases hold rates and levels; counters are the exact integrals of the rates, so that two samplings of one world
differ only in when they look.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.detect.limits import Limits
from inferguard_core.events import AnomalyEvent
from inferguard_core.frame import AnomalyState, Severity
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.watch import EndpointWatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T0 = 1_800_000_000.0
EDGES = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 2.5, 5.0, 10.0)
LABELS = 'engine="0",model_name="m"'
GAUGES = {
    "kv": "vllm:kv_cache_usage_perc",
    "running": "vllm:num_requests_running",
    "waiting": "vllm:num_requests_waiting",
}
COUNTERS = {
    "preemptions": "vllm:num_preemptions_total",
    "queries": "vllm:prefix_cache_queries_total",
    "hits": "vllm:prefix_cache_hits_total",
    "prompt": "vllm:prompt_tokens_total",
    "generated": "vllm:generation_tokens_total",
    "drafted": "vllm:spec_decode_num_draft_tokens_total",
    "accepted": "vllm:spec_decode_num_accepted_tokens_total",
}


@dataclass(frozen=True)
class Phase:
    """From `start` seconds on: rates per second, levels, and the latency of all that is observed."""

    start: float
    kv: float = 0.3
    kv_slope: float = 0.0
    running: float = 8.0
    waiting: float = 0.0
    waiting_slope: float = 0.0
    finished: float = 2.0
    errors: float = 0.0
    answered: float = 2.0
    preemptions: float = 0.0
    queries: float = 1000.0
    hits: float = 800.0
    prompt: float = 1000.0
    generated: float = 200.0
    drafted: float = 100.0
    accepted: float = 70.0
    ttft: float = 0.06
    itl: float = 0.03


@dataclass(frozen=True)
class World:
    phases: Sequence[Phase]
    capacity: float = 1_000_000.0

    def page(self, t: float) -> str:
        """The exposition at `t` seconds."""
        now = [p for p in self.phases if p.start <= t][-1]
        since = t - now.start
        lines = [
            f"{GAUGES['kv']}{{{LABELS}}} {min(1.0, now.kv + now.kv_slope * since)}",
            f"{GAUGES['running']}{{{LABELS}}} {now.running}",
            f"{GAUGES['waiting']}{{{LABELS}}} {now.waiting + now.waiting_slope * since}",
            f'vllm:cache_config_info{{engine="0",num_gpu_blocks="{self.capacity / 16:.0f}",block_size="16"}} 1.0',
            f'vllm:request_success_total{{{LABELS},finished_reason="stop"}} {self._count("finished", t)}',
            f'vllm:request_success_total{{{LABELS},finished_reason="error"}} {self._count("errors", t)}',
            f'vllm:prompt_tokens_by_source_total{{{LABELS},source="local_compute"}} {self._count("queries", t) - self._count("hits", t)}',
            f'http_requests_total{{handler="/v1/completions",method="POST",status="2xx"}} {self._count("answered", t)}',
            "process_start_time_seconds 1000.0",
        ]
        lines += [f"{name}{{{LABELS}}} {self._count(field, t)}" for field, name in COUNTERS.items()]
        lines += self._histogram("vllm:time_to_first_token_seconds", "ttft", "finished", t)
        lines += self._histogram("vllm:inter_token_latency_seconds", "itl", "generated", t)
        return "\n".join(lines) + "\n"

    def _spans(self, t: float) -> list[tuple[Phase, float]]:
        ends = [p.start for p in self.phases[1:]] + [float("inf")]
        return [(p, max(0.0, min(t, end) - p.start)) for p, end in zip(self.phases, ends, strict=True)]

    def _count(self, name: str, t: float) -> float:
        return sum(getattr(phase, name) * seconds for phase, seconds in self._spans(t))

    def _histogram(self, name: str, value: str, rate: str, t: float) -> list[str]:
        seen = [(getattr(p, value), getattr(p, rate) * s) for p, s in self._spans(t)]
        lines = [
            f'{name}_bucket{{{LABELS},le="{edge}"}} {sum(n for v, n in seen if v <= edge)}' for edge in EDGES
        ]
        total, count = sum(v * n for v, n in seen), sum(n for _, n in seen)
        return [
            *lines,
            f'{name}_bucket{{{LABELS},le="+Inf"}} {count}',
            f"{name}_sum{{{LABELS}}} {total}",
            f"{name}_count{{{LABELS}}} {count}",
        ]


@dataclass
class Told:
    """What a watch said of a world."""

    watch: EndpointWatch
    fired: dict[str, Severity] = field(default_factory=dict)
    """Kind to the worst severity it reached."""
    first: dict[str, float] = field(default_factory=dict)
    onset: dict[str, float] = field(default_factory=dict)
    """Seconds of world time."""
    ended: set[str] = field(default_factory=set)


def told(world: World, until: float, interval_s: float, **limits: float) -> Told:
    """Watch a world from 0 to `until`, polled each `interval_s`."""
    watch = EndpointWatch("http://w", "w", interval_s, ProofLevel.RECORDED, Limits(**limits))  # type: ignore[arg-type]
    seen = Told(watch)
    for i in range(int(until / interval_s) + 1):
        t = i * interval_s
        for event in watch.observe(Poll(t, T0 + t, 1.0, body=world.page(t))):
            if isinstance(event, AnomalyEvent):
                _note(seen, event)
    return seen


def _note(seen: Told, event: AnomalyEvent) -> None:
    one = event.anomaly
    if one.state is AnomalyState.OK:
        seen.ended.add(one.kind)
    elif one.state is AnomalyState.FIRING:
        seen.first.setdefault(one.kind, event.t)
        seen.onset.setdefault(one.kind, one.onset_unix - T0)
        seen.fired[one.kind] = max(one.severity, seen.fired.get(one.kind, Severity.OK))


def healthy_then(at: float, **changes: float) -> World:
    """Health up to `at`, then the given rates and levels."""
    return World((Phase(0.0), Phase(at, **changes)))


def loud(fired: Mapping[str, Severity]) -> set[str]:
    return {kind for kind, severity in fired.items() if severity >= Severity.WARNING}
