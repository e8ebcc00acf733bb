"""What came of one turn: times and tokens, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ending(StrEnum):
    ANSWERED = "answered"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """We stopped; no fault of the engine's."""


class Counted(StrEnum):
    """Who counted the tokens of a turn."""

    SERVER = "server"
    """The `usage` of its answer."""
    APPROXIMATE = "approximate"
    """Four characters of what was sent, and one piece of the stream, taken as a token."""
    NOT_AT_ALL = "none"


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """Times are seconds; `at_s` is since the run began, the others since the turn was sent."""

    trace_id: str
    session_id: str
    turn_id: str
    at_s: float
    ending: Ending
    error: str = ""
    """Kind of failure, as runs count them: `HTTP 429`, `Refused`, `CutOff`."""
    message: str = ""
    """The failure in one line."""
    ttft_s: float | None = None
    """To the first token of content or reasoning."""
    e2e_s: float | None = None
    """To the end of the stream."""
    gaps_s: tuple[float, ...] = ()
    """Between pieces of the stream; a piece may hold several tokens."""
    pieces: int = 0
    """That held text."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    counted: Counted = Counted.NOT_AT_ALL

    @property
    def tpot_s(self) -> float | None:
        """Time per output token after the first: (last token - first token) ÷ (tokens - 1)."""
        if self.ttft_s is None or self.output_tokens is None or self.output_tokens < 2:
            return None
        return sum(self.gaps_s) / (self.output_tokens - 1)


class TurnTimes(NamedTuple):
    """What is kept of a finished turn to hold it against the same turn of another run."""

    session: tuple[str, str]
    """Trace and session."""
    turn_id: str
    failed: bool
    ttft_s: float | None
    tpot_s: float | None
    e2e_s: float | None


def finished(outcomes: Iterable[TurnOutcome]) -> list[TurnTimes]:
    """Those that ended by the engine's doing; times of answered ones only."""
    return [
        TurnTimes((o.trace_id, o.session_id), o.turn_id, failed=True, ttft_s=None, tpot_s=None, e2e_s=None)
        if o.ending is Ending.FAILED
        else TurnTimes(
            (o.trace_id, o.session_id),
            o.turn_id,
            failed=False,
            ttft_s=o.ttft_s,
            tpot_s=o.tpot_s,
            e2e_s=o.e2e_s,
        )
        for o in outcomes
        if o.ending is not Ending.INTERRUPTED
    ]
