"""The one thing an investigation is given: a dict of `inferguard.brain.context/1`, checked and read.

It may come over HTTP, so nothing in it is taken on trust: a wrong type is named by its path and refused, a number
that is not finite is left out, and whatever text it holds is data. Nothing is fetched from anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA: Final = "inferguard.brain.context/1"
MAX_ROWS: Final = 1000
MAX_LIST: Final = 200
_LISTS: Final = ("window", "anomalies", "priors", "events", "actions", "causes")
_TABLES: Final = ("limits", "units", "sources", "baselines", "flags")
_TEXTS: Final = ("endpoint", "engine", "model", "engine_version")


@dataclass(frozen=True, slots=True)
class Context:
    """One endpoint as of `now_unix`. The raw dict stays at hand for what is only shown."""

    endpoint: str
    engine: str
    model: str
    now_unix: float
    rows: tuple[Mapping[str, float], ...]
    """Oldest first; `t` is seconds before now, at most 0. A signal that a row lacks is unknown there."""
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def firing(self) -> frozenset[str]:
        """Kinds of anomaly that are firing or recovering."""
        return frozenset(str(a.get("kind", "")) for a in self.entries("anomalies"))

    @property
    def incident(self) -> Mapping[str, Any] | None:
        found = self.raw.get("incident")
        return found if isinstance(found, dict) else None

    @property
    def diagnosis(self) -> Mapping[str, Any] | None:
        found = self.raw.get("diagnosis")
        return found if isinstance(found, dict) else None

    def entries(self, name: str) -> Sequence[Mapping[str, Any]]:
        return [one for one in self.raw.get(name) or () if isinstance(one, dict)]

    def table(self, name: str) -> Mapping[str, Any]:
        found = self.raw.get(name)
        return found if isinstance(found, dict) else {}

    def limit(self, name: str, default: float) -> float:
        """A threshold in force; the contract's own where the context does not say."""
        value = number(self.table("limits").get(name))
        return default if value is None else value

    def baseline(self, name: str) -> float | None:
        """Healthy median of a number, None while it is not trusted."""
        known = self.table("baselines").get(name)
        return number(known.get("centre")) if isinstance(known, dict) else None

    def constant(self, name: str) -> float | None:
        """A number that holds for the whole window, such as the size of the pool."""
        return number(self.raw.get(name))

    def points(self, signal: str, seconds: float) -> list[tuple[float, float]]:
        """Known values of the last `seconds` as (t, value)."""
        return [(row["t"], row[signal]) for row in self.rows if signal in row and row["t"] >= -seconds]

    def values(self, signal: str, seconds: float) -> list[float]:
        return [value for _, value in self.points(signal, seconds)]

    def unit(self, signal: str) -> str:
        return str(self.table("units").get(signal, "1"))

    def source(self, signal: str) -> str:
        return str(self.table("sources").get(signal, ""))


def number(value: object) -> float | None:
    """`value` as a finite number, else None; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if isfinite(as_float) else None


def read(data: object) -> Context | str:
    """The context that `data` is, or what is wrong with it, by path."""
    if not isinstance(data, dict):
        return "context: an object is expected"
    if data.get("schema") != SCHEMA:
        return f"context.schema: {str(data.get('schema'))[:60]!r} is not {SCHEMA!r}"
    wrong = _wrong_type(data)
    if wrong:
        return wrong
    now = number(data.get("now_unix"))
    if now is None:
        return "context.now_unix: a number of seconds is expected"
    rows = _rows(data["window"])
    if isinstance(rows, str):
        return rows
    return Context(
        endpoint=str(data["endpoint"]),
        engine=str(data["engine"]),
        model=str(data.get("model") or ""),
        now_unix=now,
        rows=rows,
        raw=data,
    )


def _wrong_type(data: Mapping[str, Any]) -> str:
    for name in ("endpoint", "engine", "window", "now_unix"):
        if name not in data:
            return f"context.{name}: is missing"
    for name in _TEXTS:
        if not isinstance(data.get(name) or "", str):
            return f"context.{name}: a text is expected"
    for name in _LISTS:
        found = data.get(name)
        if found is not None and not isinstance(found, list):
            return f"context.{name}: a list is expected"
        if name != "window" and len(found or ()) > MAX_LIST:
            return f"context.{name}: {len(found or ())} entries; at most {MAX_LIST} are taken"
    for name in (*_TABLES, "incident", "diagnosis"):
        if not isinstance(data.get(name) or {}, dict):
            return f"context.{name}: an object is expected"
    return ""


def _rows(window: Sequence[object]) -> tuple[Mapping[str, float], ...] | str:
    if len(window) > MAX_ROWS:
        return f"context.window: {len(window)} rows; at most {MAX_ROWS} are taken"
    rows: list[dict[str, float]] = []
    for place, raw in enumerate(window):
        if not isinstance(raw, dict):
            return f"context.window[{place}]: an object is expected"
        row = {str(k): v for k, given in raw.items() if (v := number(given)) is not None}
        if "t" not in row:
            return f"context.window[{place}].t: a number is expected"
        if rows and row["t"] <= rows[-1]["t"]:
            return f"context.window[{place}].t: does not follow the row before it"
        rows.append(row)
    return tuple(rows)
