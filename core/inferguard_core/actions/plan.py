"""Which actions answer which cause, in which order: the table of detection, as data.

A cause with no row has no action: the fix is in the configuration or at the client, or, for `unclear`, in a
measurement. Triggers stand beside the causes: they add an action when their own cause is at least ranked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from inferguard_core.actions.cache import compaction, flush
from inferguard_core.actions.concurrency import throttle_agents, throttle_arrivals, throttle_to_pool
from inferguard_core.actions.replica import drain, drain_rank, drain_repeating, quarantine
from inferguard_core.actions.speculation import shrink_speculation
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_core.actions.draft import Case, Draft

    Propose = Callable[[Case], Draft | None]


class Step(NamedTuple):
    action: ActionType
    propose: Propose


_THROTTLE: Final = ActionType.THROTTLE_CONCURRENCY
_DRAIN: Final = ActionType.DRAIN_AND_RECYCLE
_COMPACT: Final = Step(ActionType.RECOMMEND_COMPACTION, compaction)
_SHRINK: Final = Step(ActionType.SHRINK_SPECULATION_WINDOW, shrink_speculation)

PLANS: Final[Mapping[str, tuple[Step, ...]]] = {
    "arrival_surge": (Step(_THROTTLE, throttle_arrivals),),
    "long_contexts": (_COMPACT,),
    "prefix_thrash": (
        Step(_THROTTLE, throttle_agents),
        _COMPACT,
        Step(ActionType.FLUSH_SESSION_RADIX, flush),
    ),
    "kv_exhausted": (Step(_THROTTLE, throttle_to_pool),),
    "offload_pressure": (Step(_DRAIN, drain),),
    "spec_collapse": (_SHRINK,),
    "engine_stalled": (Step(_DRAIN, drain),),
    "engine_restarted": (Step(_DRAIN, drain_repeating),),
    "shape_crash": (Step(ActionType.QUARANTINE_SHAPE, quarantine),),
    "abort_storm": (Step(_THROTTLE, throttle_arrivals),),
    "rank_imbalance": (Step(_DRAIN, drain_rank),),
}


class Trigger(NamedTuple):
    """Anomalies which, firing together, add a step of `cause` when that cause is ranked below the first."""

    anomalies: tuple[frozenset[str], ...]
    """One of each set."""
    cause: str
    step: Step


_PRESSURE: Final = frozenset({"kv_high", "kv_saturated"})

TRIGGERS: Final = (
    Trigger((_PRESSURE, frozenset({"preemption"})), "kv_exhausted", Step(_THROTTLE, throttle_to_pool)),
    Trigger((_PRESSURE, frozenset({"prefix_thrash"})), "prefix_thrash", _COMPACT),
    Trigger((frozenset({"swap"}),), "offload_pressure", Step(_DRAIN, drain)),
    Trigger((frozenset({"spec_acceptance_drop"}),), "spec_collapse", _SHRINK),
)
