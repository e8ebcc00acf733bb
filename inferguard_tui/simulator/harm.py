"""Whether a run really did the harm that an anomaly kind stands for, so that a label may demand it.

Each test looks at what the engine knows of itself over an episode and over the time before it, with limits that
lie clear of any monitor's own threshold: what is near the threshold is neither demanded nor forbidden.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_tui.simulator.ledger import gap_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_tui.simulator.ledger import Ledger, Second


@dataclass(frozen=True, slots=True)
class Stretch:
    """An episode and what came before it, as lists of seconds."""

    during: tuple[Second, ...]
    before: tuple[Second, ...]

    @classmethod
    def of(cls, ledger: Ledger, onset: float, end: float) -> Stretch:
        return cls(tuple(ledger.between(onset, end)), tuple(ledger.between(float("-inf"), onset)))


def harmed(kind: str, stretch: Stretch) -> bool:
    """Whether `kind` must be raised for this stretch. A kind without a test is never demanded."""
    test = TESTS.get(kind)
    return test is not None and bool(stretch.during) and test(stretch)


def _preempted(stretch: Stretch) -> bool:
    """Ten in all: SGLang overloads with hardly a retraction."""
    return sum(s.preempted for s in stretch.during) >= 10


def _queued(stretch: Stretch) -> bool:
    """A queue that matters was there for a minute, half of it at a stretch."""
    times = [s.t for s in stretch.during if s.queued]
    return len(times) >= 60 and _longest_run(times) >= 40


def _late(stretch: Stretch) -> bool:
    """Most first tokens were late, and there were enough of them to say so."""
    first = sum(s.first_tokens for s in stretch.during)
    return first >= 60 and sum(s.late for s in stretch.during) >= 0.7 * first


def _gaps_wider(stretch: Stretch) -> bool:
    """The 95th percentile of inter-token gaps is three times what it was."""
    now, then = _gap_quantile(stretch.during, 0.95), _gap_quantile(stretch.before, 0.95)
    return now is not None and then is not None and now >= 3.0 * then


def _decode_slower(stretch: Stretch) -> bool:
    """The median gap is 1.6 times what it was."""
    now, then = _gap_quantile(stretch.during, 0.5), _gap_quantile(stretch.before, 0.5)
    return now is not None and then is not None and now >= 1.6 * then


def _hits_fell(stretch: Stretch) -> bool:
    """The hit rate fell by 0.3 and to less than 0.6 of what it was."""
    now, then = _share(stretch.during, "hits", "looked_up"), _share(stretch.before, "hits", "looked_up")
    return now is not None and then is not None and then - now >= 0.3 and now <= 0.6 * then


def _thrashed(stretch: Stretch) -> bool:
    now, then = _share(stretch.during, "hits", "looked_up"), _share(stretch.before, "hits", "looked_up")
    return now is not None and then is not None and then >= 0.45 and now <= 0.15


def _acceptance_fell(stretch: Stretch) -> bool:
    """Accepted drafts fell by 45 %."""
    now, then = _share(stretch.during, "accepted", "drafted"), _share(stretch.before, "accepted", "drafted")
    return now is not None and then is not None and now <= 0.55 * then


def _errors(stretch: Stretch) -> bool:
    """Ten or more, and one in twelve of all that ended."""
    bad = sum(s.failed + s.hung_up for s in stretch.during)
    return bad >= 10 and bad >= 0.08 * (bad + sum(s.finished for s in stretch.during))


def _frozen(stretch: Stretch) -> bool:
    """Frozen for 25 s while eight clients hung on it."""
    frozen = [s for s in stretch.during if s.frozen]
    return len(frozen) >= 1 and frozen[-1].t - frozen[0].t >= 25 and max(s.open for s in frozen) >= 8


def _was_down(stretch: Stretch) -> bool:
    """Longer than three polls at five seconds."""
    down = [s.t for s in stretch.during if s.down]
    return bool(down) and down[-1] - down[0] >= 18


def _restarted(stretch: Stretch) -> bool:
    return any(s.restarts for s in stretch.during)


def _swapped(stretch: Stretch) -> bool:
    return sum(s.swapped for s in stretch.during) >= 30


def _uneven(stretch: Stretch) -> bool:
    return _longest_run([s.t for s in stretch.during if s.uneven]) >= 90


TESTS: dict[str, Callable[[Stretch], bool]] = {
    "preemption": _preempted,
    "queue_growth": _queued,
    "ttft_high": _late,
    "itl_high": _gaps_wider,
    "decode_drift": _decode_slower,
    "prefix_hit_drop": _hits_fell,
    "prefix_thrash": _thrashed,
    "spec_acceptance_drop": _acceptance_fell,
    "request_errors": _errors,
    "stall": _frozen,
    "endpoint_down": _was_down,
    "engine_restart": _restarted,
    "swap": _swapped,
    "rank_imbalance": _uneven,
}


def _longest_run(times: list[int]) -> int:
    """Seconds of the longest stretch without a hole of more than two seconds."""
    longest = begun = 0
    previous: int | None = None
    for t in times:
        begun = t if previous is None or t - previous > 2 else begun
        longest = max(longest, t - begun + 1)
        previous = t
    return longest


def _gap_quantile(seconds: tuple[Second, ...], q: float) -> float | None:
    """Of all gaps in these seconds; None with fewer than a hundred."""
    gaps: Counter[int] = Counter()
    for second in seconds:
        gaps.update(second.gaps)
    left = q * gaps.total()
    if gaps.total() < 100:
        return None
    for gap in sorted(gaps):
        left -= gaps[gap]
        if left <= 0:
            return gap_of(gap)
    return None


def _share(seconds: tuple[Second, ...], part: str, whole: str) -> float | None:
    """None when there is too little of the whole."""
    total = sum(int(getattr(s, whole)) for s in seconds)
    return sum(int(getattr(s, part)) for s in seconds) / total if total >= 2000 else None
