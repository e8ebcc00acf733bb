"""What a decomposing model may ask of the data: small pure questions with small answers, each number a new fact.

There is no tool that runs code, reads a file or reaches a network, and none that writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.context import number
from inferguard_brain.counted import counted
from inferguard_brain.facts import Fact, amount
from inferguard_brain.fit import correlation, line
from inferguard_brain.prompt import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_brain.context import Context

SHOWN: Final = 12
LONGEST_S: Final = 1800.0
MAX_FACTS: Final = 300


@dataclass(slots=True)
class FactBook:
    """Facts as they become known; ids are never reused."""

    known: dict[str, Fact] = field(default_factory=dict)

    def add(
        self, name: str, value: float, unit: str, window_s: float | None = None, n: int | None = None
    ) -> str:
        """The line that tells the new fact; empty once there are too many."""
        if len(self.known) >= MAX_FACTS:
            return ""
        fact = Fact(f"F{len(self.known) + 1}", name, value, unit, window_s, n)
        self.known[fact.id] = fact
        return f"{fact.id} {name} {amount(value, unit)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a model, its arguments already of the right type."""

    tool: str
    signal: str = ""
    other: str = ""
    seconds: float = 300.0
    question: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Asked:
        seconds = number(raw.get("seconds"))
        return cls(
            tool=_text(raw.get("tool")),
            signal=_text(raw.get("signal")),
            other=_text(raw.get("other")),
            seconds=min(LONGEST_S, max(10.0, 300.0 if seconds is None else seconds)),
            question=_text(raw.get("question"), 400),
        )

    def __str__(self) -> str:
        parts = [p for p in (self.signal, self.other, self.question[:60]) if p]
        return f"{self.tool}({', '.join((*parts, f'{self.seconds:g} s'))})"


def answer(asked: Asked, context: Context, book: FactBook) -> list[str]:
    """Lines that answer; one that says why where there is no answer."""
    tool = TOOLS.get(asked.tool)
    if tool is None:
        return [f"no such tool; there are {', '.join(TOOLS)}, sub_question"]
    return [row for row in tool(asked, context, book) if row] or ["nothing is known about that"]


def _stats(asked: Asked, context: Context, book: FactBook) -> list[str]:
    values = context.values(asked.signal, asked.seconds)
    if not values:
        return []
    what, unit = f"{asked.signal} in {asked.seconds:g} s", context.unit(asked.signal)
    found = (
        ("median", median(values)),
        ("lowest", min(values)),
        ("highest", max(values)),
        ("newest", values[-1]),
    )
    return [book.add(f"{what} {name}", v, unit, asked.seconds, len(values)) for name, v in found]


def _slope(asked: Asked, context: Context, book: FactBook) -> list[str]:
    fitted = line(context.points(asked.signal, asked.seconds))
    if fitted is None:
        return []
    what, unit = f"{asked.signal} over {fitted.span_s:.0f} s", context.unit(asked.signal)
    return [
        book.add(f"{what} slope", fitted.slope, f"{unit}/s", fitted.span_s, fitted.n),
        book.add(f"{what} began", fitted.start, unit, fitted.span_s, fitted.n),
        book.add(f"{what} ended", fitted.level, unit, fitted.span_s, fitted.n),
        book.add(f"{what} tau", fitted.tau, "1", fitted.span_s, fitted.n),
    ]


def _window(asked: Asked, context: Context, book: FactBook) -> list[str]:
    points = context.points(asked.signal, asked.seconds)
    step = max(1, -(-len(points) // SHOWN))
    unit = context.unit(asked.signal)
    return [book.add(f"{asked.signal} at {t:.0f} s", v, unit) for t, v in points[::-1][::step][::-1]]


def _correlate(asked: Asked, context: Context, book: FactBook) -> list[str]:
    rows = [
        (row[asked.signal], row[asked.other])
        for row in context.rows
        if row["t"] >= -asked.seconds and asked.signal in row and asked.other in row
    ]
    found = correlation([a for a, _ in rows], [b for _, b in rows])
    if found is None:
        return []
    name = f"rank correlation of {asked.signal} and {asked.other}"
    return [book.add(name, found, "1", asked.seconds, len(rows))]


def _compare_baseline(asked: Asked, context: Context, book: FactBook) -> list[str]:
    values, healthy = context.values(asked.signal, 60.0), context.baseline(asked.signal)
    if not values or healthy is None:
        return []
    now, unit = median(values), context.unit(asked.signal)
    rows = [
        book.add(f"{asked.signal} median of 60 s", now, unit, 60.0, len(values)),
        book.add(f"{asked.signal} healthy median", healthy, unit),
    ]
    return (
        [*rows, book.add(f"{asked.signal} now as part of healthy", now / healthy, "ratio")]
        if healthy
        else rows
    )


def _priors(_asked: Asked, context: Context, book: FactBook) -> list[str]:
    rows = []
    for prior in context.entries("priors")[:SHOWN]:
        name = f"prior {quoted(str(prior.get('incident_id')), 80)} similarity"
        rows.append(book.add(name, number(prior.get("score")) or 0.0, "ratio"))
        told = f"cause {prior.get('cause')}, done {prior.get('done')}, {prior.get('grade')}"
        rows.append(quoted(told))
    return rows


def _events(_asked: Asked, context: Context, _book: FactBook) -> list[str]:
    return [quoted(f"at {e.get('t')} s: {e.get('text')}") for e in context.entries("events")[-SHOWN:]]


TOOLS: Final[Mapping[str, Callable[[Asked, Context, FactBook], list[str]]]] = {
    "stats": _stats,
    "slope": _slope,
    "window": _window,
    "correlate": _correlate,
    "compare_baseline": _compare_baseline,
    "priors": _priors,
    "events": _events,
}


def described(context: Context) -> list[str]:
    """What data there is, without a value of it."""
    signals: dict[str, list[float]] = {}
    for row in context.rows:
        for name in row:
            if name != "t":
                signals.setdefault(name, []).append(row["t"])
    return [
        f"signal {name} ({context.unit(name)}): {counted(len(times), 'value')} over the last {-times[0]:.0f} s"
        for name, times in signals.items()
    ]


def _text(value: object, limit: int = 60) -> str:
    return value[:limit] if isinstance(value, str) else ""
