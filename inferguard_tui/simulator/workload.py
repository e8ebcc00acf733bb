"""The clients at run time: seeded arrivals, conversations that return, waits that make them slow down."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from inferguard_tui.simulator.request import FinishReason, Request, Segment, Status
from inferguard_tui.simulator.rng import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.traffic import Traffic


class Client:
    """One class of clients. Its draws depend on the seed and its name only."""

    def __init__(self, traffic: Traffic, index: int, seed: int, start: float) -> None:
        self.traffic = traffic
        self.index = index
        self.slowed = 1.0
        """Share of the declared rate that back-off has left."""
        self._arrivals = stream(seed, f"arrivals/{traffic.name}")
        self.lengths = stream(seed, f"lengths/{traffic.name}")
        self._spells = stream(seed, f"bursts/{traffic.name}")
        self._bursting = False
        self._spell_ends = self._next_spell(start)
        self._held_until = -math.inf

    def next_arrival(self, now: float) -> float:
        """Time of the first arrival after `now`: a Poisson process thinned to the present rate."""
        rate = self.traffic.rate
        bursts = self.traffic.bursts
        peak = rate.peak * (bursts.factor if bursts else 1.0)
        if peak <= 0.0:
            return math.inf
        at = now
        while True:
            at += self._arrivals.expovariate(peak)
            if self._arrivals.random() * peak < self._rate(at):
                return at
            if not rate.at(at) and rate.next_change(at) == math.inf:
                return math.inf

    def observe_wait(self, waited: float, now: float) -> None:
        """Take note of a time to first token, or of a wait without one."""
        manners = self.traffic.back_off
        if manners is None or waited < manners.wait_s or now < self._held_until:
            return
        self.slowed = max(manners.floor, self.slowed * manners.factor)
        self._held_until = now + manners.hold_s

    def _rate(self, at: float) -> float:
        bursts = self.traffic.bursts
        while bursts and at >= self._spell_ends:
            self._bursting = not self._bursting
            self._spell_ends = self._next_spell(self._spell_ends)
        factor = bursts.factor if bursts and self._bursting else 1.0
        return self.traffic.rate.at(at) * factor * self.slowed

    def _next_spell(self, since: float) -> float:
        bursts = self.traffic.bursts
        if bursts is None:
            return math.inf
        return since + self._spells.expovariate(1.0 / (bursts.length_s if self._bursting else bursts.every_s))


class Workload:
    """All clients of one engine, in order of time."""

    def __init__(self, traffic: Sequence[Traffic], size: EngineSize, seed: int, start: float) -> None:
        self.clients = [Client(t, index, seed, start) for index, t in enumerate(traffic)]
        self._size = size
        self._think = stream(seed, "think")
        self._queue: list[tuple[float, int, int, tuple[Segment, ...], int]] = []
        self._patience: list[tuple[float, int, Request]] = []
        self._numbers = 0
        self._contents = 0
        self._sessions = 0
        self._prefixes = [[self._fresh(t.shared_prefix) for _ in range(t.shared_prefixes)] for t in traffic]
        for client in self.clients:
            self._schedule_fresh(client, start)

    @property
    def next_at(self) -> float:
        """When the next request arrives; infinity when none will."""
        return self._queue[0][0] if self._queue else math.inf

    @property
    def next_deadline(self) -> float:
        """When the next client may lose patience."""
        return self._patience[0][0] if self._patience else math.inf

    def take(self) -> Request:
        """The next request, at its arrival."""
        at, _, index, history, session = heapq.heappop(self._queue)
        client = self.clients[index]
        if not history:
            self._schedule_fresh(client, at)
            history, session = self._opening(client, session)
        return self._request(client, at, history, session)

    def connected(self, request: Request) -> None:
        """A request got through to the server: its client's patience begins to run."""
        if request.group < 0:
            return
        patience = self.clients[request.group].traffic.patience_s
        if patience is not None:
            heapq.heappush(self._patience, (request.arrived_at + patience, request.number, request))

    def impatient(self, now: float) -> list[Request]:
        """Requests whose clients hang up now, for want of a first token."""
        gone: list[Request] = []
        while self._patience and self._patience[0][0] <= now:
            request = heapq.heappop(self._patience)[2]
            if request.first_token_at is None and request.status is not Status.FINISHED:
                self.first_token(request, now)
                gone.append(request)
        return gone

    def answered(self, request: Request, now: float) -> None:
        """A client has its whole answer, or has hung up: it may come back with the next turn."""
        if request.group < 0:
            return
        client = self.clients[request.group]
        sessions = client.traffic.sessions
        if sessions is None or request.finish_reason is FinishReason.ABORT:
            return
        if self._think.random() < 1.0 / sessions.turns:
            return
        at = now + self._think.expovariate(1.0 / sessions.think_s)
        history = (*request.segments, request.output)
        if sum(segment.tokens for segment in history) < sessions.longest:
            self._push(at, client.index, history, request.session)

    def first_token(self, request: Request, now: float) -> None:
        if request.group >= 0:
            self.clients[request.group].observe_wait(now - request.arrived_at, now)

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _opening(self, client: Client, session: int) -> tuple[tuple[Segment, ...], int]:
        traffic = client.traffic
        if traffic.sessions is not None:
            self._sessions += 1
            session = self._sessions
        if not traffic.shared_prefix:
            return (), session
        return (client.lengths.choice(self._prefixes[client.index]),), session

    def _request(self, client: Client, at: float, history: tuple[Segment, ...], session: int) -> Request:
        traffic = client.traffic
        limit = self._size.max_model_len
        known = sum(segment.tokens for segment in history)
        prompt = max(1, min(traffic.prompt.draw(client.lengths), limit - known - 2))
        max_tokens = max(1, min(traffic.max_tokens, limit - known - prompt))
        return Request(
            number=self.next_number(),
            arrived_at=at,
            segments=(*history, self._fresh(prompt)),
            max_tokens=max_tokens,
            target_tokens=min(max_tokens, traffic.output.draw(client.lengths)),
            handler=traffic.handler,
            acceptance=traffic.acceptance,
            group=client.index,
            session=session,
        )

    def _fresh(self, tokens: int) -> Segment:
        self._contents += 1
        return Segment(self._contents, tokens)

    def _schedule_fresh(self, client: Client, now: float) -> None:
        at = client.next_arrival(now)
        if at < math.inf:
            self._push(at, client.index, (), -1)

    def _push(self, at: float, index: int, history: tuple[Segment, ...], session: int) -> None:
        self._contents += 1
        heapq.heappush(self._queue, (at, self._contents, index, history, session))
