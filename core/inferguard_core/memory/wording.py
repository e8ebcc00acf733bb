"""The words an incident is found by, and the words of a query as the full-text index takes them.

Whatever a person types is words: no character of it is an operator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from inferguard_core.diagnose.signatures import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.memory.case import Case

MOST_WORDS: Final = 24
"""Of a query; what follows says little more."""
_EVERYDAY: Final = """
a an and are as at be been but by did do does for from had has have how i in is it its like of on or our similar
so than that the then there this to was we were what when where which while who why with
"""
LEFT_OUT: Final = frozenset(_EVERYDAY.split())
MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    "pressure": ("kv", "saturated"),
    "memory": ("kv", "pool"),
    "oom": ("kv", "exhausted"),
    "full": ("saturated", "exhausted"),
    "slow": ("ttft", "itl", "latency"),
    "latency": ("ttft", "itl"),
    "hang": ("stall", "stalled"),
    "hung": ("stall", "stalled"),
    "stuck": ("stall", "stalled"),
    "frozen": ("stall", "stalled"),
    "crash": ("down", "restarted", "crash"),
    "outage": ("down",),
    "unreachable": ("down",),
    "backlog": ("queue",),
    "queueing": ("queue",),
    "burst": ("arrival", "surge"),
    "spike": ("surge",),
    "traffic": ("arrival", "surge"),
    "evict": ("preemption", "thrash"),
    "cache": ("prefix",),
    "draft": ("spec", "acceptance"),
    "speculation": ("spec", "acceptance"),
    "speculative": ("spec", "acceptance"),
    "errors": ("request_errors", "error_storm"),
    "cancelled": ("abort",),
    "timeout": ("abort", "errors"),
    "context": ("long_contexts",),
}
"""What people say, and what the monitor calls it."""
_WORD: Final = re.compile(r"[^\W_]+")


def words_of(case: Case) -> str:
    """Everything in a case that somebody might remember it by."""
    incident, diagnosis, fix = case.incident, case.diagnosis, case.fix
    signature = SIGNATURES.get(case.cause)
    parts = [
        incident.headline,
        incident.endpoint,
        case.cause,
        signature.failure_mode if signature is not None else "",
        signature.first_advice if signature is not None else "",
        case.engine.value,
        case.engine_version or "",
        case.shape.family,
        *case.models,
        *incident.anomalies,
        *(note.text for note in incident.notes),
        *(c.text for score in (diagnosis.ranked[:1] if diagnosis else ()) for c in score.speaks_for),
        *(diagnosis.changed_before if diagnosis is not None else ()),
        *(a.action_type.value for a in case.advisories),
        *(a.what for a in case.applied),
        case.outcome,
        fix.why if fix is not None else "",
    ]
    return "\n".join(part for part in parts if part)


def tokens(text: str) -> tuple[str, ...]:
    """The telling words of a query, each once, in order."""
    found = (word.lower() for word in _WORD.findall(text))
    return tuple(dict.fromkeys(w for w in found if w not in LEFT_OUT))[:MOST_WORDS]


def expression(text: str) -> str:
    """`text` as a full-text query: any of its words, or of what they mean; empty where it holds none."""
    wanted: dict[str, None] = {}
    for token in tokens(text):
        for word in (token, *MEANT.get(token, ())):
            wanted[" ".join(_WORD.findall(word))] = None
    return " OR ".join(f'"{word}"' for word in wanted if word)
