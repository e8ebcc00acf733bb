"""W2, pattern: past incidents like what is seen now, and whether what was done about them helped.

It counts only outcomes that somebody, or a verification, has graded, and shows the counts. Without trouble or a
leading sign there is nothing to match, and it is silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.advisory import advisory
from inferguard_brain.context import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from inferguard_brain.context import Context

LIKE: Final = 0.5
"""Score of recall from which a past incident counts as like this one."""
GRADES: Final = ("helped", "no_change", "worse")
FORMULA: Final = "best similarity × (helped + 1) ÷ (graded + 2), of priors of the same cause (Beta(1,1))"


def patterns(context: Context) -> Iterator[dict[str, Any]]:
    """At most one advisory: the cause whose past incidents look most like this, and what helped then."""
    like = [
        p for p in context.entries("priors") if (number(p.get("score")) or 0.0) >= LIKE and p.get("cause")
    ]
    if not like:
        return
    best = max(like, key=_score)
    same = [p for p in like if p["cause"] == best["cause"]]
    done, helped, graded = _what_worked(same)
    yield advisory(
        "prior_pattern_match",
        _words(best, same, done, helped, graded),
        subject=str(best.get("incident_id", "")),
        confidence=_score(best) * (helped + 1) / (graded + 2),
        formula=FORMULA,
        evidence=[
            _count("similarity", _score(best), "ratio", len(same)),
            _count("priors_helped", helped, "1", graded),
        ],
    )


def _score(prior: Mapping[str, Any]) -> float:
    return min(1.0, number(prior.get("score")) or 0.0)


def _what_worked(priors: Sequence[Mapping[str, Any]]) -> tuple[str, int, int]:
    """(what was done, helped, graded) of the deed that helped most often; ungraded ones do not count."""
    by_deed: dict[str, list[str]] = {}
    for prior in priors:
        if prior.get("done") and prior.get("grade") in GRADES:
            by_deed.setdefault(str(prior["done"]), []).append(str(prior["grade"]))
    if not by_deed:
        return "", 0, 0
    done, grades = max(by_deed.items(), key=lambda deed: (deed[1].count("helped"), -len(deed[1])))
    return done, grades.count("helped"), len(grades)


def _words(
    best: Mapping[str, Any], same: Sequence[Mapping[str, Any]], done: str, helped: int, graded: int
) -> str:
    why = [str(w) for w in best.get("why") or () if isinstance(w, str)]
    matched = f" ({'; '.join(why[:2])})" if why else ""
    like = f"like incident {best.get('incident_id', '?')}, {best['cause']}{matched}"
    more = f" and {len(same) - 1} more" if len(same) > 1 else ""
    if not graded:
        return f"{like}{more}; nothing done then was graded"
    return f"{like}{more}; {done}: {helped} of {graded} helped"


def _count(signal: str, value: float, unit: str, n: int) -> dict[str, Any]:
    return {
        "signal": signal,
        "value": round(value, 3),
        "baseline": None,
        "threshold": None,
        "window_s": None,
        "unit": unit,
        "n": n,
        "source": "memory",
    }
