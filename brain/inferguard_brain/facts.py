"""Every number of a context under a short id, so that what a model says can be held against what it cites.

A fact is a name, a number and a unit, with the window and the count it rests on; nothing is said of what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.context import number
from inferguard_brain.fit import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from inferguard_brain.context import Context

MAX_FACTS: Final = 160
RECENT_S: Final = 60.0
TREND_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Fact:
    id: str
    name: str
    value: float
    unit: str
    window_s: float | None = None
    n: int | None = None

    @property
    def shown(self) -> str:
        """`kv_usage now 97.9%`."""
        return f"{self.name} {amount(self.value, self.unit)}"


def amount(value: float, unit: str) -> str:
    """A number with its unit, rounded to three digits."""
    if unit == "ratio":
        return f"{value * 100:.3g}%"
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return shown if unit in ("1", "") else f"{shown} {'s' if unit == 'seconds' else unit}"


def facts(context: Context, advisories: Sequence[Mapping[str, Any]] = ()) -> dict[str, Fact]:
    """The facts of a context and of what was calculated from it, by id; the first `MAX_FACTS` of them."""
    found: dict[str, Fact] = {}
    seen: set[str] = set()
    for name, value, unit, window_s, n in _all(context, advisories):
        known = number(value)
        if known is None or name in seen or len(found) >= MAX_FACTS:
            continue
        seen.add(name)
        fact_id = f"F{len(found) + 1}"
        found[fact_id] = Fact(fact_id, name, known, unit, number(window_s), None if n is None else int(n))
    return found


_Raw = tuple[str, object, str, object, "float | None"]


def _all(context: Context, advisories: Sequence[Mapping[str, Any]]) -> Iterator[_Raw]:
    """Most telling first, since a long list is cut."""
    for anomaly in context.entries("anomalies"):
        kind = _word(anomaly.get("kind"))
        onset = number(anomaly.get("onset_s"))
        if onset is not None:
            yield f"{kind} for", -onset, "seconds", None, None
        yield from _evidence(kind, anomaly.get("evidence"))
    yield from _diagnosis(context)
    for action in context.entries("actions"):
        kind = _word(action.get("action_type"))
        yield f"{kind} confidence", action.get("confidence"), "ratio", None, None
        given = action.get("parameters")
        for name, value in given.items() if isinstance(given, dict) else ():
            yield f"{kind} {_word(name)}", value, "1", None, None
        yield from _evidence(kind, action.get("evidence"))
    for one in advisories:
        kind = f"{one['advisory_type']} {one['subject']}"
        yield f"{kind} confidence", one["confidence"], "ratio", None, None
        yield f"{kind} horizon", one["horizon_seconds"], "seconds", None, None
        yield from _evidence(kind, one["evidence"])
    yield from _window(context)
    yield from _past(context)


def _window(context: Context) -> Iterator[_Raw]:
    for signal in dict.fromkeys(name for row in context.rows for name in row if name != "t"):
        unit = context.unit(signal)
        points = context.points(signal, TREND_S)
        if not points:
            continue
        recent = [v for t, v in points if t >= -RECENT_S]
        yield f"{signal} now", points[-1][1] if points[-1][0] >= -RECENT_S else None, unit, None, None
        if len(recent) > 1:
            yield f"{signal} median", median(recent), unit, RECENT_S, len(recent)
        values = [v for _, v in points]
        yield f"{signal} highest", max(values), unit, TREND_S, len(values)
        yield f"{signal} lowest", min(values), unit, TREND_S, len(values)
        fitted = line(points)
        if fitted is not None:
            yield f"{signal} slope", fitted.slope, f"{unit}/s", fitted.span_s, fitted.n


def _diagnosis(context: Context) -> Iterator[_Raw]:
    concluded = context.diagnosis
    if concluded is None:
        return
    for score in concluded.get("ranked") or ():
        if isinstance(score, dict):
            yield f"cause {_word(score.get('cause'))} score", score.get("confidence"), "ratio", None, None
    yield from _evidence("diagnosis", concluded.get("evidence"))


def _past(context: Context) -> Iterator[_Raw]:
    if context.constant("pool_tokens") is not None:
        yield "KV pool", context.constant("pool_tokens"), "tokens", None, None
    for name, known in context.table("baselines").items():
        if isinstance(known, dict):
            yield f"{_word(name)} healthy median", known.get("centre"), context.unit(str(name)), None, None
    for prior in context.entries("priors"):
        yield (
            f"incident {_word(prior.get('incident_id'))} similarity",
            prior.get("score"),
            "ratio",
            None,
            None,
        )
    for name, value in context.table("limits").items():
        unit = "seconds" if str(name).endswith("_s") else "1"
        yield f"limit {_word(name)}", value, unit, None, None


def _evidence(of: str, rows: object) -> Iterator[_Raw]:
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        name, unit = f"{of} {_word(row.get('signal'))}", _word(row.get("unit")) or "1"
        yield name, row.get("value"), unit, row.get("window_s"), number(row.get("n"))
        yield f"{name} threshold", row.get("threshold"), unit, None, None
        yield f"{name} baseline", row.get("baseline"), unit, None, None


def _word(text: object) -> str:
    """A name from the context as one short printable word: it goes into prompts and onto screens."""
    kept = "".join(c for c in str(text or "") if c.isalnum() or c in "_-./#")
    return kept[:60]
