"""Who sends requests to the simulated engine, declared: client classes with rates, lengths and manners."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class Lengths:
    """Token counts, log-normal around `median`, cut to `[minimum, maximum]`; `spread` 0 is constant."""

    median: int
    spread: float = 0.5
    minimum: int = 1
    maximum: int = 1 << 20

    def draw(self, rng: random.Random) -> int:
        drawn = round(self.median * math.exp(rng.gauss(0.0, self.spread))) if self.spread else self.median
        return max(self.minimum, min(self.maximum, drawn))


@dataclass(frozen=True, slots=True)
class Rate:
    """Arrivals per second over scenario time: straight lines between points, constant outside them."""

    points: tuple[tuple[float, float], ...]

    @classmethod
    def constant(cls, per_second: float) -> Rate:
        return cls(((0.0, per_second),))

    @classmethod
    def between(cls, start: float, end: float, per_second: float) -> Rate:
        """`per_second` from `start` to `end`, nothing outside."""
        return cls(((start, 0.0), (start, per_second), (end, per_second), (end, 0.0)))

    @classmethod
    def never(cls) -> Rate:
        return cls(((0.0, 0.0),))

    @property
    def peak(self) -> float:
        return max(rate for _, rate in self.points)

    def at(self, t: float) -> float:
        points = self.points
        if t < points[0][0]:
            return points[0][1]
        for (t0, r0), (t1, r1) in pairwise(points):
            if t0 <= t < t1:
                return r0 + (r1 - r0) * (t - t0) / (t1 - t0)
        return points[-1][1]

    def next_change(self, t: float) -> float:
        """The first point after `t`; infinity after the last."""
        return min((at for at, _ in self.points if at > t), default=math.inf)


@dataclass(frozen=True, slots=True)
class Bursts:
    """Arrivals come `factor` times as fast for spells of about `length_s`, about every `every_s`."""

    factor: float
    every_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Sessions:
    """Conversations: each turn carries the whole history, and follows the answer after a pause."""

    turns: float
    """Mean number of turns; geometric."""
    think_s: float
    """Mean pause before the next turn; exponential."""
    longest: int = 8000
    """Tokens after which a conversation ends."""


@dataclass(frozen=True, slots=True)
class BackOff:
    """Clients that send less when they wait too long for a first token.

    The class's rate falls to `factor` of itself, at most once per `hold_s`, never below `floor` of
    the declared one. They do not come back by themselves.
    """

    wait_s: float
    factor: float
    hold_s: float
    floor: float = 0.1


@dataclass(frozen=True, slots=True)
class Crew:
    """A fixed number of members, each with one request at a time: agents, workers of a batch job.

    With `sessions` a member goes on with its conversation until that is too long; without, every request is new.
    A member whose request was lost asks again.
    """

    members: int
    think_s: float
    """Mean pause between an answer and the next request; exponential."""
    spread_s: float = 30.0
    """They begin within so many seconds, not all at once."""
    since: float = -math.inf
    until: float = math.inf


@dataclass(frozen=True, slots=True)
class Traffic:
    """One class of clients. Token counts per request; a request's prompt is shared prefix, then its own."""

    name: str
    rate: Rate
    prompt: Lengths
    output: Lengths
    max_tokens: int = 4096
    """What they ask for; outputs are cut there."""
    shared_prefix: int = 0
    """Tokens of the system prompt."""
    shared_prefixes: int = 1
    """How many different system prompts there are."""
    bursts: Bursts | None = None
    sessions: Sessions | None = None
    crew: Crew | None = None
    """A closed population besides the open arrivals of `rate`."""
    patience_s: float | None = None
    """They hang up when no first token came for this long."""
    deadline_s: float | None = None
    """They hang up when the answer is not complete after this long."""
    retry_s: float | None = None
    """Who hung up asks again after this pause."""
    back_off: BackOff | None = None
    acceptance: float = 0.7
    """How well their text can be guessed by a draft model, per position."""
    handler: str = "/v1/chat/completions"
    streaming: bool = True
    ignore_eos: bool = False
    """They want every token of `max_tokens`, whatever the model says."""
    pinned: int = -1
    """Data-parallel core that their router sends them all to; -1 is whichever has the fewest."""
    stamped_from: float = math.inf
    """From then on the time of day stands at the head of their prompts, so that no two begin alike."""
    failing: Rate = field(default_factory=Rate.never)
    """Share of their requests on which the engine fails."""
    invalid: Rate = field(default_factory=Rate.never)
    """Share that the API server refuses with 400."""

    def scaled(self, load: float) -> Traffic:
        """The same clients, `load` times as many."""
        points = tuple((at, per_second * load) for at, per_second in self.rate.points)
        crew = self.crew and replace(self.crew, members=round(self.crew.members * load))
        return replace(self, rate=Rate(points), crew=crew)
