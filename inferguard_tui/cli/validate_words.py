"""The result of a validation for a person: one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.frame import MeasureId
from inferguard_core.poll import ProofLevel
from inferguard_core.replay.figures import needed
from inferguard_core.replay.outcome import Counted
from inferguard_tui.cli.words import UNKNOWN

if TYPE_CHECKING:
    from inferguard_core.replay.contrast import Change, Contrast
    from inferguard_core.replay.figures import Figures, Spread
    from inferguard_core.replay.report import Result

_ENGINE = {"vllm": "vLLM", "sglang": "SGLang"}
_COUNTED = {
    Counted.SERVER: "counted by the server",
    Counted.APPROXIMATE: "approximate: 4 characters, or one piece of a stream, taken as a token",
    Counted.NOT_AT_ALL: "the server does not count",
}
_PEAKS = (
    (MeasureId.KV_USAGE, "KV {:.1%}"),
    (MeasureId.PREFIX_HIT_RATE, "prefix hits {:.1%}"),
    (MeasureId.RUNNING, "running {:.0f}"),
    (MeasureId.WAITING, "waiting {:.0f}"),
    (MeasureId.PREEMPTION_RATE, "preempted {:.2g}/s"),
)


def text(result: Result) -> str:
    """Load, answers, latencies, what the engine showed, errors, comparison."""
    subject, plan, found = result.subject, result.plan, result.figures
    engine = f"{_ENGINE.get(subject.engine, 'unknown engine')} {subject.engine_version or ''}".strip()
    proof = "  (simulated)" if result.shown.proof is ProofLevel.SIMULATED else ""
    waits = "waits ignored" if plan.ignore_waits else "waits kept"
    load = f"{counted(plan.turns, 'turn')} ({counted(len(plan.cells), 'session')}) of {subject.export}"
    rates = f"{_number(found.output_rate)} output tokens/s, {_number(found.answer_rate)} answers/s"
    lines = [
        f"{subject.endpoint}  {engine}  {subject.model}{proof}",
        f"  load      {load}, {subject.api}, {subject.concurrency} at once, {waits}",
        f"            recorded on {', '.join(plan.identity)}",
        f"  answered  {_answered(result, found)}",
        f"  tokens    {_tokens(found)}",
        *_table(result.percentiles, found),
        f"  rate      {rates}, waits included",
        f"  engine    {_peaks(result)}",
    ]
    lines += [f"  failed    {turns} × {kind}: {found.examples[kind]}" for kind, turns in found.errors.items()]
    if result.comparison is not None:
        lines += _comparison(result.comparison)
    return "\n".join(lines)


def _answered(result: Result, found: Figures) -> str:
    parts = [f"{found.answered} of {counted(result.plan.turns, 'turn')} in {result.record.seconds:.1f} s"]
    parts += [f"{found.failed} failed"] if found.failed else []
    parts += [f"{found.interrupted} interrupted"] if found.interrupted else []
    unsent = result.plan.turns - found.sent
    parts += [f"{unsent} not sent: {result.record.ended_early}"] if unsent else []
    return ", ".join(parts)


def _tokens(found: Figures) -> str:
    if found.prompt_tokens is None or found.output_tokens is None:
        return f"{UNKNOWN} ({_COUNTED[found.counted]})"
    cached = "" if found.cached_tokens is None else f", {found.cached_tokens} of the prompts cached"
    return f"{found.prompt_tokens} prompt, {found.output_tokens} output ({_COUNTED[found.counted]}){cached}"


def _table(percentiles: tuple[float, ...], found: Figures) -> list[str]:
    head = "".join(f"{f'p{p:g}':>10}" for p in percentiles)
    rows = [f"  {'seconds':<8}{'n':>7}{'mean':>10}{head}{'max':>10}"]
    for name in ("ttft", "tpot", "itl", "e2e"):
        spread: Spread = getattr(found, name)
        cells = "".join(f"{_seconds(spread.at[p]):>10}" for p in percentiles)
        rows.append(
            f"  {name.upper():<8}{spread.n:>7}{_seconds(spread.mean):>10}{cells}{_seconds(spread.highest):>10}"
        )
    least = [p for p in percentiles if found.e2e.n < needed(p)]
    if least and found.e2e.n:
        rows.append(
            f"            {UNKNOWN} where there are too few answers: p{least[0]:g} needs {needed(least[0])}"
        )
    return rows


def _peaks(result: Result) -> str:
    seen = result.shown
    if not seen.peaks:
        return f"nothing seen: {seen.failed} of {counted(seen.polls, 'poll')} failed"
    peaks = ", ".join(words.format(seen.peaks[m]) for m, words in _PEAKS if m in seen.peaks)
    fired = f"; fired: {', '.join(seen.anomalies)}" if seen.anomalies else ""
    return f"highest of {counted(seen.polls, 'poll')}: {peaks}{fired}"


def _comparison(comparison: Contrast) -> list[str]:
    verdict = comparison.verdict.value.replace("_", " ")
    return [
        f"  compared  {verdict}: {comparison.why}",
        *(f"            {_change(c)}" for c in comparison.changes),
    ]


def _change(change: Change) -> str:
    if change.low is None or change.high is None or change.change is None:
        return f"{change.what:<13}too few turns ({change.n})"
    unit = "%" if change.what != "failed_share" else "points"
    span = f"{change.change * 100:+.1f} {unit} [{change.low * 100:+.1f} to {change.high * 100:+.1f}]"
    both = f"{_number(change.before)} → {_number(change.after)}"
    return f"{change.what:<13}{both:<20} {span:<36} {change.verdict.value.replace('_', ' ')}"


def _seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.4f}" if value < 1 else f"{value:.3f}"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3g}"
