"""What is learnt of one endpoint: which numbers, from what, and what forbids learning them.

One table, so that a rule, the frame and a store mean the same by a name. A number is learnt from the window of
the poll and only from health: never while one of the kinds that would taint it is pending or active, nor while
anything critical is. What has been learnt outlives the monitor: it is a value that goes to JSON and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import log2
from typing import TYPE_CHECKING, Any, NamedTuple

from inferguard_core.baseline import Baseline
from inferguard_core.load import (
    RATE_WINDOW_S,
    arrival_rate,
    computed,
    decoding,
    generated,
    mean_of,
    ratio,
    tokens_per_running,
)
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from inferguard_core.detect.limits import Limits
    from inferguard_core.reading import Engine
    from inferguard_core.window import Window

HIT_WINDOW_S = 15.0
DECODE = "decode"
CLASSES_PER_OCTAVE = 2
"""Batch sizes within a factor of 1.4 decode alike."""
NEW_PROCESS = frozenset({"engine_restart", "endpoint_down"})
"""A cold cache and a first wave of requests are not the normal state of anything."""


class Normal(StrEnum):
    """The numbers whose healthy level is learnt."""

    TTFT_P95 = "ttft_p95"
    ITL_P95 = "itl_p95"
    PREFIX_HIT_RATE = "prefix_hit_rate"
    PROMPT_COMPUTED_RATE = "prompt_computed_rate"
    GENERATION_RATE = "generation_rate"
    GENERATION_PER_RUNNING = "generation_per_running"
    RUNNING = "running"
    TOKENS_PER_RUNNING = "tokens_per_running"
    SPEC_ACCEPTANCE = "spec_acceptance"
    ARRIVAL_RATE = "arrival_rate"
    FINISH_RATE = "finish_rate"
    PROMPT_LENGTH = "prompt_length"
    OUTPUT_LENGTH = "output_length"


class Sample(NamedTuple):
    """One value of a number, and how much it says."""

    value: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """One row of the table."""

    sample: Callable[[Window], Sample | None]
    """Of the window; None where it says nothing."""
    floor: float
    """The least spread: less is the noise of a busy host, not a change."""
    tainted_by: frozenset[str]
    """Kinds that forbid learning while pending or active."""


def batch_class(batch: float) -> str:
    """The name under which decoding at a batch size of this order is learnt."""
    return f"{DECODE}_at_{2 ** (round(log2(max(batch, 1.0)) * CLASSES_PER_OCTAVE) / CLASSES_PER_OCTAVE):.3g}"


def _plain(value: float | None) -> Sample | None:
    return None if value is None else Sample(value)


def _p95(signal: Signal) -> Callable[[Window], Sample | None]:
    def sample(window: Window) -> Sample | None:
        quantile = window.quantile(signal, 0.95, RATE_WINDOW_S)
        return None if quantile is None or quantile.beyond else Sample(quantile.value)

    return sample


def _rate(counter: Signal) -> Callable[[Window], Sample | None]:
    return lambda window: _plain(window.rate(counter, RATE_WINDOW_S))


def _hit_rate(window: Window) -> Sample | None:
    found = ratio(window, Signal.PREFIX_HITS, Signal.PREFIX_QUERIES, HIT_WINDOW_S)
    return None if found is None else Sample(found.share, found.whole)


def _acceptance(window: Window) -> Sample | None:
    found = ratio(window, Signal.SPEC_ACCEPTED_TOKENS, Signal.SPEC_DRAFT_TOKENS, RATE_WINDOW_S)
    if found is not None:
        return Sample(found.share)
    return _plain(window.median(Signal.SPEC_ACCEPT_RATE, RATE_WINDOW_S))


def _generation_rate(window: Window) -> Sample | None:
    made = generated(window, RATE_WINDOW_S)
    return None if made is None else Sample(made.rate)


def _computed_rate(window: Window) -> Sample | None:
    made = computed(window, RATE_WINDOW_S)
    return None if made is None else Sample(made.rate)


def _per_running(window: Window) -> Sample | None:
    made, running = generated(window, RATE_WINDOW_S), window.mean(Signal.RUNNING, RATE_WINDOW_S)
    return None if made is None or not running else Sample(made.rate / running)


_LATENCY = frozenset({"preemption", "queue_growth", "prefix_thrash", "request_errors", "throughput_drop"})
_LOAD = frozenset({"queue_growth", "preemption", "traffic_stopped", "request_errors"})
_PREFIX = frozenset({"prefix_hit_drop", "prefix_thrash"})

TABLE: Mapping[Normal, Learnt] = {
    Normal.TTFT_P95: Learnt(_p95(Signal.TTFT), 0.03, _LATENCY | {"ttft_high"}),
    Normal.ITL_P95: Learnt(_p95(Signal.ITL), 0.003, _LATENCY | {"itl_high", "decode_drift"}),
    Normal.PREFIX_HIT_RATE: Learnt(_hit_rate, 0.05, _PREFIX),
    Normal.PROMPT_COMPUTED_RATE: Learnt(_computed_rate, 20.0, _PREFIX | _LOAD | {"ttft_high"}),
    Normal.GENERATION_RATE: Learnt(_generation_rate, 5.0, _LOAD | {"throughput_drop", "decode_drift"}),
    Normal.GENERATION_PER_RUNNING: Learnt(_per_running, 2.0, _LOAD | {"throughput_drop", "decode_drift"}),
    Normal.RUNNING: Learnt(
        lambda w: _plain(w.mean(Signal.RUNNING, RATE_WINDOW_S)), 1.0, _LOAD | {"throughput_drop"}
    ),
    Normal.TOKENS_PER_RUNNING: Learnt(
        lambda w: _plain(tokens_per_running(w, RATE_WINDOW_S)), 100.0, _LOAD | {"kv_high"}
    ),
    Normal.SPEC_ACCEPTANCE: Learnt(_acceptance, 0.05, frozenset({"spec_acceptance_drop"})),
    Normal.ARRIVAL_RATE: Learnt(lambda w: _plain(arrival_rate(w, RATE_WINDOW_S)), 0.2, _LOAD),
    Normal.FINISH_RATE: Learnt(_rate(Signal.FINISHED), 0.2, _LOAD),
    Normal.PROMPT_LENGTH: Learnt(
        lambda w: _plain(mean_of(w, Signal.REQUEST_PROMPT_TOKENS, RATE_WINDOW_S)), 20.0, _LOAD
    ),
    Normal.OUTPUT_LENGTH: Learnt(
        lambda w: _plain(mean_of(w, Signal.REQUEST_GENERATION_TOKENS, RATE_WINDOW_S)), 20.0, _LOAD
    ),
}
_DECODE_TAINTED_BY = frozenset({"decode_drift", "itl_high", "preemption", "throughput_drop"})


class BaselineKey(NamedTuple):
    """Whose normal it is: another model or engine behind the same address is another normal."""

    endpoint: str
    models: tuple[str, ...]
    engine: Engine

    def __str__(self) -> str:
        """Unique, and stable over runs: what a store files it under."""
        return f"{self.endpoint} {self.engine.value} {','.join(self.models)}"


class Baselines:
    """All that is learnt under one key."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.by_name: dict[str, Baseline] = {}

    def learn(self, window: Window, troubled: AbstractSet[str], *, critical: bool) -> None:
        """Take what this window says of health.

        Args:
            window: As of the newest reading.
            troubled: Kinds pending or active.
            critical: Something critical is active; then nothing is learnt.
        """
        if critical or troubled & NEW_PROCESS:
            return
        for name, learnt in TABLE.items():
            baseline = self._of(name)
            if baseline.due(window.now) and not troubled & learnt.tainted_by:
                sample = learnt.sample(window)
                if sample is not None:
                    baseline.learn(window.now, sample.value, sample.weight)
        if not troubled & _DECODE_TAINTED_BY:
            self._learn_decoding(window)

    @property
    def learning(self) -> dict[str, str]:
        """`learning 40/60` of each number that has begun and is not yet trusted.

        Of the batch sizes only the best known: rare ones may stay young for ever.
        """
        begun = {n: b for n, b in self.by_name.items() if len(b)}
        decoding = [b for n, b in begun.items() if n not in TABLE]
        shown = {n: b.progress for n, b in begun.items() if n in TABLE and not b.trusted}
        if decoding and not any(b.trusted for b in decoding):
            shown[DECODE] = max(decoding, key=len).progress
        return shown

    def to_json(self) -> dict[str, Any]:
        """By name, only what holds samples."""
        return {name: baseline.to_json() for name, baseline in self.by_name.items() if len(baseline)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], limits: Limits) -> Baselines:
        """What `to_json` described. Raises ValueError where a baseline in it is none."""
        restored = cls(limits)
        for name, one in data.items():
            restored.by_name[name] = Baseline.from_json(one, limits.baseline_samples, limits.baseline_seconds)
        return restored

    def _of(self, name: str) -> Baseline:
        baseline = self.by_name.get(name)
        if baseline is None:
            baseline = Baseline(self._limits.baseline_samples, self._limits.baseline_seconds)
            self.by_name[name] = baseline
        return baseline

    def _learn_decoding(self, window: Window) -> None:
        """Inter-token latency by batch size, from the newest stretch of decoding."""
        newest = decoding(window, 1)
        if newest and newest[0].plain:
            self._of(batch_class(newest[0].batch)).learn(window.now, newest[0].itl)
