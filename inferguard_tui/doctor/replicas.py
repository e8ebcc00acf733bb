"""Endpoints that are alike told together: one card for the replicas of an engine, and one line for their clocks.

Alike is what runs the same engine in the same version with the same dialect: the same signals read under the same
names, the same rules blind, nothing doubtful that the others are not. Whatever differs, and whatever does not
answer, keeps a card under its own name. For a person to read; programs get every endpoint by itself.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_tui.doctor.check import Check, State
from inferguard_tui.doctor.endpoints import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAMES_SHOWN = 16
MODELS_SHOWN = 3
_ORDER = {"endpoint": 0, "clock": 1}
"""Clocks after all the cards."""
_OF_ONE_ONLY = ("models", "poll_ms")
"""Facts in which replicas differ."""


def told_together(checks: Iterable[Check]) -> list[Check]:
    """Replicas that are alike in one card, in the order of the first of them; the rest as it is."""
    groups: dict[object, list[Check]] = {}
    for at, check in enumerate(checks):
        groups.setdefault(_kind(check) or at, []).append(check)
    joined = [_joined(group) for group in groups.values()]
    return sorted(joined, key=lambda check: _ORDER.get(check.part, len(_ORDER)))


def _kind(check: Check) -> str | None:
    """What two checks have in common that are told together; None for one that stands alone."""
    if check.part == "clock" and check.state is State.OK:
        return f"clock {'skew_s' in check.facts}"
    if check.part != "endpoint" or not check.facts or check.state is State.UNKNOWN:
        return None
    dialect = {name: fact for name, fact in check.facts.items() if name not in _OF_ONE_ONLY}
    return json.dumps([check.state, check.more, dialect], sort_keys=True)


def _joined(group: Sequence[Check]) -> Check:
    first = group[0]
    if len(group) == 1:
        return first
    if first.part == "clock":
        furthest = max(group, key=lambda check: abs(check.facts.get("skew_s", 0.0)))
        return replace(furthest, name=counted(len(group), "endpoint"))
    polls = [check.facts["poll_ms"] for check in group if check.facts["poll_ms"] is not None]
    facts = {
        **first.facts,
        "models": _some(list(dict.fromkeys(m for c in group for m in c.facts["models"])), MODELS_SHOWN),
        "poll_ms": (min(polls), max(polls)) if polls else None,
    }
    names = _some([check.name for check in group], NAMES_SHOWN)
    name = f"{counted(len(group), 'replica')}: {', '.join(names)}"
    return replace(first, name=name, said=described(facts), facts=facts)


def _some(names: list[str], most: int) -> list[str]:
    return names if len(names) <= most else [*names[: most - 1], f"and {len(names) - most + 1} more"]
