"""What each label says about a series: which model, which rank, a twin of which other, or a part of what.

Everything an engine hangs on a series falls into one of these roles, and the role alone decides how series
are folded; a label nobody knows is a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from inferguard_core.printable import printable

Labels = Mapping[str, str]

MODEL: Final = ("model_name", "model")
"""The first that is present; Triton's re-export says `model`."""
RANK: Final = ("worker_addr", "WorkerId", "engine", "dp_rank")
"""Different values hold different requests. `worker_addr` is a gateway's worker, `WorkerId` one of Ray."""
TWIN: Final = ("pp_rank", "moe_ep_rank", "tp_rank")
"""Different values report the same requests again."""
PID: Final = "pid"
"""A process that wrote the series; a gauge of a multiprocess server has one series per process, dead ones too."""
PRIORITY: Final = "priority"
"""Requests by priority; the empty value is the total over all."""
BUCKET: Final = "le"

_ROLES: Final = frozenset({*MODEL, *RANK, *TWIN, PID, PRIORITY})


def model_of(labels: Labels) -> str:
    return next((labels[name] for name in MODEL if name in labels), "")


def rank_of(labels: Labels) -> tuple[tuple[str, str], ...]:
    return tuple((name, labels[name]) for name in RANK if name in labels)


def rank_name(rank: Iterable[tuple[str, str]]) -> str:
    """`engine=1`, `dp_rank=3`; for people, and stable between polls."""
    return printable(",".join(f"{name}={value}" for name, value in rank))


def twin_of(labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in TWIN)


def part_of(labels: Labels, but: str = "") -> tuple[tuple[str, str], ...]:
    """The labels without a role, in name order; `but` is left out too."""
    return tuple(sorted((k, v) for k, v in labels.items() if k not in _ROLES and k != but))


def is_partial_priority(labels: Labels) -> bool:
    return bool(labels.get(PRIORITY))


def matches(labels: Labels, where: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the labels have an accepted value for each name.

    An accepted `2*` takes what begins with 2; an accepted empty value takes a series without the label.
    """
    for name, accepted in where.items():
        value = labels.get(name, "")
        if not any(_accepts(pattern, value) for pattern in accepted):
            return False
    return True


def _accepts(pattern: str, value: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern
