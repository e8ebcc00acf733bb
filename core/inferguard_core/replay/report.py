"""A run as `inferguard.validate/1`, and a run of before read back from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from inferguard_core.replay.contrast import Contrast, Verdict, contrast
from inferguard_core.replay.figures import Figures, Spread, figures
from inferguard_core.replay.node import Node, WrongShapeError
from inferguard_core.replay.outcome import Ending, TurnOutcome, TurnTimes, finished
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from inferguard_core.replay.gauge import Shown
    from inferguard_core.replay.plan import Plan
    from inferguard_core.replay.run import RunRecord

SCHEMA: Final = "inferguard.validate/1"


@dataclass(frozen=True, slots=True)
class Subject:
    """What was put under load, and by what."""

    endpoint: str
    engine: str
    engine_version: str | None
    model: str
    api: str
    export: str
    """Name of the export's file."""
    concurrency: int


@dataclass(frozen=True, slots=True)
class Result:
    """A finished or interrupted run with all that is said of it."""

    subject: Subject
    plan: Plan
    record: RunRecord
    shown: Shown
    percentiles: tuple[float, ...]
    warnings: tuple[str, ...] = ()
    comparison: Contrast | None = None

    @property
    def figures(self) -> Figures:
        return figures(self.record, self.percentiles)

    @property
    def fingerprint(self) -> str:
        """Equal for runs that may be compared: the load and how much of it went out at once."""
        return f"{self.plan.fingerprint}-{self.subject.api}-{self.subject.concurrency}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """A run of before, as a file kept it."""

    name: str
    fingerprint: str
    turns: tuple[TurnTimes, ...]


def compared(result: Result, baseline: Baseline) -> Contrast:
    """`result` against a run of before; another load says nothing, whatever its numbers."""
    if baseline.fingerprint != result.fingerprint:
        return Contrast(
            Verdict.INCONCLUSIVE,
            f"{baseline.name} is of another load (sessions, waits, API or concurrency differ)",
        )
    return contrast(baseline.turns, finished(result.record.outcomes))


def read_baseline(path: Path) -> Baseline | BadInput:
    """What `validate --json` has printed before."""
    try:
        root = Node(json.loads(path.read_text("utf-8")))
        if root.need("schema").text() != SCHEMA:
            raise root.need("schema").wrong(SCHEMA)
        fingerprint = root.need("load").need("fingerprint").text()
        turns = [_times(turn) for turn in root.need("turns").items()]
    except OSError as error:
        return BadInput(f"{path}: {error.strerror}")
    except (ValueError, RecursionError):
        return BadInput(f"{path}: not JSON; a baseline is what inferguard validate --json printed")
    except WrongShapeError as error:
        return BadInput(f"{path}: {error}")
    return Baseline(path.name, fingerprint, tuple(turn for turn in turns if turn is not None))


def to_json(result: Result) -> dict[str, Any]:
    """Times are seconds; null is unknown, or a percentile that the samples do not carry."""
    subject, plan, record, found = result.subject, result.plan, result.record, result.figures
    return {
        "schema": SCHEMA,
        "endpoint": subject.endpoint,
        "engine": subject.engine,
        "engine_version": subject.engine_version,
        "model": subject.model,
        "proof_level": result.shown.proof.value,
        "began_unix": round(record.began_unix, 3),
        "seconds": round(record.seconds, 3),
        "ended_early": record.ended_early or None,
        "load": _load(result),
        **_answers(found, plan.turns),
        "engine_while_loaded": {
            "polls": result.shown.polls,
            "failed_polls": result.shown.failed,
            "peaks": {name: _rounded(value) for name, value in result.shown.peaks.items()},
            "anomalies": list(result.shown.anomalies),
        },
        "warnings": list(result.warnings),
        "comparison": None if result.comparison is None else comparison_json(result.comparison),
        "turns": [_turn(outcome) for outcome in record.outcomes],
    }


def _load(result: Result) -> dict[str, Any]:
    subject, plan = result.subject, result.plan
    return {
        "export": subject.export,
        "api": subject.api,
        **plan.identity._asdict(),
        "sessions": len(plan.cells),
        "turns": plan.turns,
        "concurrency": subject.concurrency,
        "waits": "ignored" if plan.ignore_waits else "kept",
        "missing_assets": plan.missing_assets,
        "fingerprint": result.fingerprint,
    }


def _answers(found: Figures, planned: int) -> dict[str, Any]:
    return {
        "counts": {
            "sent": found.sent,
            "answered": found.answered,
            "failed": found.failed,
            "interrupted": found.interrupted,
            "not_sent": planned - found.sent,
        },
        "errors": [
            {"kind": kind, "turns": turns, "example": found.examples[kind]}
            for kind, turns in found.errors.items()
        ],
        "tokens": {
            "prompt": found.prompt_tokens,
            "output": found.output_tokens,
            "cached": found.cached_tokens,
            "counted": found.counted.value,
        },
        "latency": {name: _spread(getattr(found, name)) for name in ("ttft", "tpot", "itl", "e2e")},
        "throughput": {
            "output_tokens_per_s": _rounded(found.output_rate),
            "answers_per_s": _rounded(found.answer_rate),
        },
    }


def comparison_json(comparison: Contrast) -> dict[str, Any]:
    return {
        "verdict": comparison.verdict.value,
        "why": comparison.why,
        "sessions": comparison.sessions,
        "numbers": [
            {
                "what": change.what,
                "before": _rounded(change.before),
                "after": _rounded(change.after),
                "change": _rounded(change.change),
                "interval": None if change.low is None else [_rounded(change.low), _rounded(change.high)],
                "n": change.n,
                "verdict": change.verdict.value,
            }
            for change in comparison.changes
        ],
    }


def _spread(spread: Spread) -> dict[str, Any]:
    named = {f"p{p:g}": _rounded(value) for p, value in spread.at.items()}
    return {"n": spread.n, "mean": _rounded(spread.mean), "max": _rounded(spread.highest), **named}


def _turn(outcome: TurnOutcome) -> dict[str, Any]:
    return {
        "trace_id": outcome.trace_id,
        "session_id": outcome.session_id,
        "turn_id": outcome.turn_id,
        "at_s": _rounded(outcome.at_s),
        "ending": outcome.ending.value,
        "error": outcome.error or None,
        "message": outcome.message or None,
        "ttft_s": _rounded(outcome.ttft_s),
        "tpot_s": _rounded(outcome.tpot_s),
        "e2e_s": _rounded(outcome.e2e_s),
        "pieces": outcome.pieces,
        "prompt_tokens": outcome.prompt_tokens,
        "output_tokens": outcome.output_tokens,
        "cached_tokens": outcome.cached_tokens,
        "counted": outcome.counted.value,
    }


def _times(turn: Node) -> TurnTimes | None:
    ending = turn.need("ending").text()
    if ending == Ending.INTERRUPTED:
        return None

    def seconds(name: str) -> float | None:
        found = turn.get(name)
        return None if found is None or ending == Ending.FAILED else found.number()

    return TurnTimes(
        (turn.need("trace_id").label(), turn.need("session_id").label()),
        turn.need("turn_id").label(),
        ending == Ending.FAILED,
        seconds("ttft_s"),
        seconds("tpot_s"),
        seconds("e2e_s"),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
