"""What earlier outcomes change in a new advice: the number it proposes and what it says of itself.

Never whether it is given. A number that helped here before is taken only where it is on the safe side of what the
rule computes now.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from inferguard_core.counted import counted

if TYPE_CHECKING:
    from inferguard_core.actions.draft import Case, Draft
    from inferguard_core.actions.track_record import ActionHistory
    from inferguard_core.verdict import Fix

LEAST_SHARE: Final = 0.5
"""Of the computed number: what helped in an incident of another size is followed no further down."""
NEAR: Final = 0.95
"""From here on the two numbers are the same."""


def informed(case: Case, draft: Draft) -> Draft:
    """The draft with numbers that helped on this endpoint before, each beside the one that the rule computes."""
    if draft.stepwise:
        return draft
    parameters, caveats = dict(draft.parameters), list(draft.caveats)
    for name in draft.decides:
        computed = draft.parameters.get(name)
        helped = case.history.level(draft.action.value, case.cause, case.scene.endpoint, name)
        if helped is None or computed is None or isinstance(computed, str):
            continue
        level, times = helped
        level = max(level, computed * LEAST_SHARE)
        if level < computed * NEAR:
            parameters[name] = float(f"{level:.3g}") if level % 1 else level
            parameters[f"{name}_computed"] = computed
            caveats.append(
                f"{name} as it helped here {counted(times, 'time')}; computed from now it is {computed:g}"
            )
    return replace(draft, parameters=parameters, caveats=tuple(caveats))


def experienced(fix: Fix | None, history: ActionHistory) -> Fix | None:
    """The fix, with how often each of its flags has helped for this cause where it was really applied."""
    if fix is None:
        return None
    told = [
        f"{change.flag}: {graded.words} where it was applied for this cause"
        for change in fix.changes
        if (graded := history.graded.get((change.flag, fix.cause))) is not None
    ]
    return replace(fix, notes=(*fix.notes, *told)) if told else fix
