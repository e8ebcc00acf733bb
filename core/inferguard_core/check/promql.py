"""Our signals as PromQL over the engines' own names, as the engine tables spell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.engines import labels as roles
from inferguard_core.engines.table import TABLES

if TYPE_CHECKING:
    from inferguard_core.engines.row import Pick
    from inferguard_core.reading import Engine
    from inferguard_core.signals import Signal

BY = "job, instance"
"""What tells one endpoint from another in every Prometheus."""
ONCE = f"max without ({', '.join((*roles.TWIN, roles.PID))})"
"""Twins of a rank report the same requests again, and count once."""


def duration(seconds: float) -> str:
    """As PromQL writes it."""
    return f"{max(1, round(seconds))}s"


def span(seconds: float) -> str:
    """A window of at least four scrapes at 15 s: a rate over fewer is chance."""
    return duration(max(60.0, seconds))


def either(engine: Engine, signal: Signal, shape: str) -> str:
    """`shape`, with `{name}` and `{where}` for a series, of the first spelling of a signal that is there."""
    ways = [_way(choice.picks, shape) for choice in TABLES[engine].rows[signal].choices]
    return ways[0] if len(ways) == 1 else "(" + " or ".join(ways) + ")"


def total(engine: Engine, signal: Signal) -> str:
    """A gauge summed over ranks and models."""
    return either(engine, signal, f"sum by ({BY}) ({ONCE} ({{name}}{{where}}))")


def increase(engine: Engine, signal: Signal, seconds: float) -> str:
    """A counter's rise over a window, summed over ranks and models."""
    return either(engine, signal, f"sum by ({BY}) ({ONCE} (increase({{name}}{{where}}[{span(seconds)}])))")


def quantile(engine: Engine, signal: Signal, share: float, seconds: float) -> str:
    """A quantile of a histogram over a window."""
    buckets = f"sum by ({BY}, le) (rate({{name}}_bucket{{where}}[{span(seconds)}]))"
    return either(engine, signal, f"histogram_quantile({share:g}, {buckets})")


def observed(engine: Engine, signal: Signal, seconds: float) -> str:
    """How many observations a histogram took over a window."""
    return either(
        engine, signal, f"sum by ({BY}) ({ONCE} (increase({{name}}_count{{where}}[{span(seconds)}])))"
    )


def _way(picks: tuple[Pick, ...], shape: str) -> str:
    """One way to read a signal: the first pick decides, the others are left to the dashboards."""
    first = picks[0]
    inner = ",".join(f'{label}=~"{"|".join(map(_pattern, values))}"' for label, values in first.where.items())
    return shape.format(name=first.name, where=f"{{{inner}}}" if inner else "")


def _pattern(value: str) -> str:
    return f"{value[:-1]}.*" if value.endswith("*") else value
