"""The rules that need no memory of an endpoint, as alerting rules of Prometheus, with the limits in force.

They are the same thresholds on coarser data: a rate needs four scrapes, so windows under a minute become one. Rules
that compare an endpoint with its own past cannot be written so and are named at the head of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from inferguard_core.check import promql as q
from inferguard_core.check.promql import BY, either, increase, observed, quantile, total
from inferguard_core.engines.table import TABLES
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.detect.limits import Limits

NEEDS_A_PAST: Final = (
    "decode_drift",
    "throughput_drop",
    "traffic_stopped",
    "prefix_hit_drop",
    "prefix_thrash",
    "kv_exhaustion_forecast",
    "swap",
)
"""They rest on baselines, on a fit over single samples, or on counters of several connectors."""
ENGINES: Final = (Engine.VLLM, Engine.SGLANG)


@dataclass(frozen=True, slots=True)
class AlertRule:
    kind: str
    engine: Engine
    severity: str
    expr: str
    for_s: float
    summary: str
    """With `{{ $labels.instance }}` and `{{ $value }}` as Prometheus fills them in."""

    @property
    def name(self) -> str:
        return "InferGuard" + "".join(part.title() for part in self.kind.split("_"))


def alert_rules(limits: Limits) -> tuple[AlertRule, ...]:
    """Every rule that can be exported, engine by engine."""
    makers: tuple[Callable[[Engine, Limits], tuple[AlertRule, ...]], ...] = (
        _kv,
        _preemption,
        _queue,
        _latency,
        _stall,
        _errors,
        _speculation,
        _ranks,
        _availability,
    )
    return tuple(rule for engine in ENGINES for make in makers for rule in make(engine, limits))


def prometheus_rules(limits: Limits) -> str:
    """The rules as a rule file (YAML)."""
    lines = [
        "# Written by inferguard check --export prometheus-rules, from the limits in force.",
        "# Not here, since they compare an endpoint with its own past or need single samples:",
        f"#   {', '.join(NEEDS_A_PAST)}.",
        "groups:",
    ]
    for engine in ENGINES:
        lines += [f"- name: inferguard-{engine.value}", "  rules:"]
        for rule in alert_rules(limits):
            if rule.engine is engine:
                lines += _yaml(rule)
    return "\n".join(lines) + "\n"


def _yaml(rule: AlertRule) -> list[str]:
    return [
        f"  - alert: {rule.name}",
        "    expr: |-",
        *(f"      {line}" for line in rule.expr.splitlines()),
        *([f"    for: {q.duration(rule.for_s)}"] if rule.for_s else []),
        "    labels:",
        f"      severity: {rule.severity}",
        f"      kind: {rule.kind}",
        f"      engine: {rule.engine.value}",
        "    annotations:",
        f"      summary: '{rule.summary}'",
    ]


def _kv(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    usage = either(
        engine,
        Signal.KV_USAGE,
        f"max by ({BY}) (quantile_over_time(0.5, {{name}}{{where}}[{q.span(limits.kv_high_window)}]))",
    )
    peak = either(
        engine,
        Signal.KV_USAGE,
        f"max by ({BY}) (max_over_time({{name}}{{where}}[{q.span(limits.kv_saturated_window)}]))",
    )
    harm = f"{increase(engine, Signal.PREEMPTIONS, 60)} >= 1"
    return (
        AlertRule(
            "kv_high",
            engine,
            "notice",
            f"{usage} >= {limits.kv_alert_threshold:g}",
            limits.kv_high_for,
            "KV pool of {{ $labels.instance }} at {{ $value | humanizePercentage }}",
        ),
        AlertRule(
            "kv_saturated",
            engine,
            "warning",
            f"{peak} >= {limits.kv_saturated_usage:g}\nand on ({BY}) ({harm})",
            limits.kv_saturated_for,
            "KV pool of {{ $labels.instance }} is full and requests are preempted",
        ),
    )


def _preemption(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    short = increase(engine, Signal.PREEMPTIONS, limits.preemption_window)
    long = increase(engine, Signal.PREEMPTIONS, limits.preemption_long_window)
    often = limits.preemption_per_minute * limits.preemption_long_window / 60.0
    finished = increase(engine, Signal.FINISHED, limits.preemption_long_window)
    share = f"{long} / clamp_min({finished}, 1)"
    burst = f"{short} >= {limits.preemption_burst:g}\nand on ({BY}) ({long} > {often:g})"
    many = f"{long} >= 2)\nand on ({BY}) ({share} > {limits.preemption_of_finished:g}"
    expr = f"({burst})\nor ({short} >= 1\nand on ({BY}) ({many}))"
    line = "{{ $value | humanize }} requests preempted on {{ $labels.instance }} within a minute"
    return (AlertRule("preemption", engine, "warning", expr, 0.0, line),)


def _queue(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    waiting = total(engine, Signal.WAITING)
    rate = f"({increase(engine, Signal.FINISHED, limits.queue_window)} / {max(60.0, limits.queue_window):g})"
    wait = f"{waiting} / ({rate} > 0)"
    objective = limits.ttft_objective_s
    line = "{{ $labels.instance }}: a request that arrives now waits {{ $value | humanizeDuration }}"
    floor = f"{waiting} >= {limits.queue_min_waiting:g}"
    critical = f"{wait} > {limits.queue_critical_of_objective * objective:g}\nand on ({BY}) ({floor})"
    warning = f"({wait} > {limits.queue_wait_of_objective * objective:g}\nand on ({BY}) ({waiting} >= 1))"
    return (
        AlertRule("queue_growth", engine, "critical", critical, limits.queue_for, line),
        AlertRule("queue_growth", engine, "warning", warning, limits.queue_for, line),
    )


def _latency(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    """More than a share of requests over the objective is a quantile over it: no bucket edge need be known."""
    subjects = (
        ("ttft_high", Signal.TTFT, limits.ttft_objective_s, limits.latency_min_n, "first token"),
        ("itl_high", Signal.ITL, limits.itl_objective_s, limits.itl_min_n, "token"),
    )
    pairs = (
        ("critical", limits.burn_fast, limits.burn_fast_long, limits.burn_fast_short),
        ("warning", limits.burn_slow, limits.burn_slow_long, limits.burn_slow_short),
    )
    rules = []
    for kind, signal, objective, least, noun in subjects:
        for severity, burn, long_s, short_s in pairs:
            share = min(0.8, burn * (1.0 - limits.latency_goal))
            long, short = (
                f"{quantile(engine, signal, 1 - share, s)} > {objective:g}" for s in (long_s, short_s)
            )
            enough = f"{observed(engine, signal, short_s)} >= {least:g}"
            expr = f"{short}\nand on ({BY}) ({long})\nand on ({BY}) ({enough})"
            line = (
                f"over {share:.0%} of {noun}s on {{{{ $labels.instance }}}} come later than {objective:g} s"
            )
            rules.append(AlertRule(kind, engine, severity, expr, limits.latency_for, line))
    return tuple(rules)


def _stall(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    held = f"({total(engine, Signal.RUNNING)} + {total(engine, Signal.WAITING)}) > 0"
    progress = f"{increase(engine, Signal.GENERATION_TOKENS, 60)} == 0"
    prompts = f"{increase(engine, Signal.PROMPT_TOKENS, 60)} == 0"
    expr = f"{held}\nand on ({BY}) ({progress})\nand on ({BY}) ({prompts})"
    line = "{{ $labels.instance }} holds {{ $value }} requests and makes no token"
    return (AlertRule("stall", engine, "critical", expr, limits.stall_for, line),)


def _errors(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    signals = [s for s in (Signal.FINISHED_ABORT, Signal.FINISHED_ERROR) if _known(engine, s)]
    failed = " + ".join(
        f"({increase(engine, s, 60)} or 0 * {increase(engine, Signal.FINISHED, 60)})" for s in signals
    )
    share = f"({failed}) / ({increase(engine, Signal.FINISHED, 60)} > 0)"
    rules = []
    for severity, least in (("critical", limits.errors_critical_share), ("warning", limits.errors_share)):
        expr = f"{share} > {least:g}\nand on ({BY}) (({failed}) >= {limits.errors_min:g})"
        line = "{{ $value | humanizePercentage }} of requests on {{ $labels.instance }} fail"
        rules.append(AlertRule("request_errors", engine, severity, expr, limits.errors_for, line))
    return tuple(rules)


def _speculation(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    if not _known(engine, Signal.SPEC_DRAFT_TOKENS):
        return ()
    drafted = increase(engine, Signal.SPEC_DRAFT_TOKENS, 60)
    share = (
        f"{increase(engine, Signal.SPEC_ACCEPTED_TOKENS, 60)} / ({drafted} >= {limits.spec_min_drafted:g})"
    )
    line = "{{ $value | humanizePercentage }} of drafted tokens on {{ $labels.instance }} are accepted"
    expr = f"{share} < {limits.spec_acceptance:g}"
    return (AlertRule("spec_acceptance_drop", engine, "warning", expr, limits.spec_for, line),)


def _ranks(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    most = either(engine, Signal.KV_USAGE, f"max by ({BY}) ({{name}}{{where}})")
    median = either(engine, Signal.KV_USAGE, f"quantile by ({BY}) (0.5, {{name}}{{where}})")
    expr = f"{most} - {median} >= {limits.rank_spread:g}\nand on ({BY}) ({most} >= {limits.rank_usage:g})"
    line = (
        "one rank of {{ $labels.instance }} holds {{ $value | humanizePercentage }} more KV than the median"
    )
    return (AlertRule("rank_imbalance", engine, "warning", expr, limits.rank_for, line),)


def _availability(engine: Engine, limits: Limits) -> tuple[AlertRule, ...]:
    seen = either(engine, Signal.RUNNING, f"count by ({BY}) (count_over_time({{name}}{{where}}[1h]))")
    down = f"max by ({BY}) (up) == 0\nand on ({BY}) ({seen})"
    started = f"changes(process_start_time_seconds[{q.span(limits.restart_keep)}])"
    fell = either(
        engine,
        Signal.PROMPT_TOKENS,
        f"sum by ({BY}) (resets({{name}}{{where}}[{q.span(limits.restart_keep)}]))",
    )
    again = (
        f"max by ({BY}) ({started}) > 0\nand on ({BY}) ({seen})" if engine is Engine.VLLM else f"{fell} > 0"
    )
    return (
        AlertRule(
            "endpoint_down",
            engine,
            "critical",
            down,
            15.0 * limits.down_polls,
            "{{ $labels.instance }} cannot be scraped",
        ),
        AlertRule("engine_restart", engine, "warning", again, 0.0, "{{ $labels.instance }} was restarted"),
    )


def _known(engine: Engine, signal: Signal) -> bool:
    row = TABLES[engine].rows.get(signal)
    return row is not None and bool(row.choices)
