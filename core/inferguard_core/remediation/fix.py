"""From a diagnosis to a fix for the engine, version and model at hand.

Every change goes through the flag table: a flag that this version does not have cannot come out of here. Numbers
are computed from running values and measurements; where neither is known there is no number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.engines.version import OLDEST, parse_version
from inferguard_core.reading import Engine
from inferguard_core.remediation.admission_rules import (
    abort_storm,
    arrival_surge,
    compute_bound,
    conservative_admission,
    prefill_interference,
    sequence_cap,
)
from inferguard_core.remediation.availability_rules import (
    engine_down,
    engine_restarted,
    engine_stalled,
    error_storm,
    rank_imbalance,
    shape_crash,
)
from inferguard_core.remediation.cache_rules import prefix_broken, prefix_thrash, spec_collapse
from inferguard_core.remediation.flag import LEAVE_OUT
from inferguard_core.remediation.kv_rules import kv_exhausted, long_contexts, offload_pressure
from inferguard_core.remediation.proposal import RESTART, Proposal
from inferguard_core.remediation.setup import Setup, setup
from inferguard_core.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inferguard_core.scene import Scene
    from inferguard_core.verdict import Diagnosis, FlagChange

RULES: Final[Mapping[str, Callable[[Setup], Proposal]]] = {
    "arrival_surge": arrival_surge,
    "long_contexts": long_contexts,
    "prefix_thrash": prefix_thrash,
    "prefix_broken": prefix_broken,
    "kv_exhausted": kv_exhausted,
    "sequence_cap": sequence_cap,
    "compute_bound": compute_bound,
    "prefill_interference": prefill_interference,
    "conservative_admission": conservative_admission,
    "offload_pressure": offload_pressure,
    "spec_collapse": spec_collapse,
    "engine_stalled": engine_stalled,
    "engine_restarted": engine_restarted,
    "shape_crash": shape_crash,
    "engine_down": engine_down,
    "abort_storm": abort_storm,
    "error_storm": error_storm,
    "rank_imbalance": rank_imbalance,
}
MODEL_MATTERS: Final = frozenset(
    {"long_contexts", "kv_exhausted", "offload_pressure", "prefix_thrash", "sequence_cap", "arrival_surge"}
)
_START: Final = {Engine.VLLM: "vllm serve MODEL …", Engine.SGLANG: "python3 -m sglang.launch_server …"}


def fix(scene: Scene, diagnosis: Diagnosis) -> Fix | None:
    """The fix for the diagnosed cause; None for `unclear` and for a cause that is not in the table."""
    rule = RULES.get(diagnosis.cause)
    if rule is None:
        return None
    at_hand = setup(scene)
    proposal = rule(at_hand)
    costs = (RESTART, proposal.cost) if proposal.changes else ("none to the engine: nothing in it changes",)
    return Fix(
        cause=diagnosis.cause,
        changes=proposal.changes,
        why=proposal.why,
        effect=proposal.effect,
        cost="; ".join(c for c in costs if c),
        check=proposal.check,
        command=command(at_hand.engine, proposal.changes),
        instead=proposal.instead,
        notes=(
            *proposal.notes,
            *_version_notes(at_hand),
            *_order_note(proposal),
            *_model_notes(at_hand, diagnosis),
        ),
        flags_of=at_hand.table.read_from if at_hand.table is not None else "",
    )


def command(engine: Engine, changes: Sequence[FlagChange]) -> str:
    """The changed flags as typed behind the engine's start, one a line; empty without a change."""
    start = _START.get(engine)
    if start is None or not changes:
        return ""
    typed = [_typed(c) for c in changes if c.proposed != LEAVE_OUT]
    left_out = [f"# without {c.flag}" for c in changes if c.proposed == LEAVE_OUT]
    return "\n".join((*left_out, " \\\n  ".join((start, *typed))))


def _typed(change: FlagChange) -> str:
    if not change.proposed:
        return change.flag
    value = f"'{change.proposed}'" if change.proposed.startswith("{") else change.proposed
    return f"{change.flag} {value}"


def _version_notes(at_hand: Setup) -> tuple[str, ...]:
    table = at_hand.table
    if table is None:
        return ("engine unknown: no flags are named",)
    version = at_hand.version
    if version is None and at_hand.at_least > OLDEST:
        shown = ".".join(str(part) for part in at_hand.at_least[:3])
        return (
            f"version not told; its metrics are of {shown} or later: only flags that all of these have are named",
        )
    if version is None:
        return ("version unknown: only flags that every examined version has are named",)
    newest, oldest = parse_version(table.read_from), parse_version(table.oldest)
    if newest is not None and version > newest:
        return (f"newer than the flag table ({table.read_from}): see --help before use",)
    if oldest is not None and version < oldest:
        return (f"older than the flag table ({table.oldest}): see --help before use",)
    return ()


def _order_note(proposal: Proposal) -> tuple[str, ...]:
    return ("one change at a time, in this order, when the effect of each is to be known",) * (
        len(proposal.changes) > 1
    )


def _model_notes(at_hand: Setup, diagnosis: Diagnosis) -> tuple[str, ...]:
    if at_hand.model is None or diagnosis.cause not in MODEL_MATTERS:
        return ()
    dtype = at_hand.argument("cache_dtype") or at_hand.argument("kv_cache_dtype") or "auto"
    return (at_hand.model.derived(dtype), *at_hand.model.notes)
