"""All clients of one engine at run time, in order of time: who sends next, who comes back, who hangs up."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, NamedTuple

from inferguard_tui.simulator.client import Client
from inferguard_tui.simulator.composer import Composer
from inferguard_tui.simulator.request import Request, Segment, Status
from inferguard_tui.simulator.rng import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.traffic import Traffic

RECONNECT_S = 5.0
"""A member whose connection broke or was refused tries again after a few seconds."""


class Due(NamedTuple):
    """A request that will be sent. Ordered by time, then by when it was decided."""

    at: float
    order: int
    client: int
    history: tuple[Segment, ...] = ()
    session: int = -1
    open: bool = False
    """From the client's open arrivals: the next one is drawn when it is sent."""


class Workload:
    """All clients of one engine, in order of time."""

    def __init__(self, traffic: Sequence[Traffic], size: EngineSize, seed: int, start: float) -> None:
        self.clients = [Client(t, index, seed, start) for index, t in enumerate(traffic)]
        self.composer = Composer(traffic, size, seed)
        self._think = stream(seed, "think")
        self._queue: list[Due] = []
        self._patience: list[tuple[float, int, Request, bool]] = []
        self._decisions = 0
        for client in self.clients:
            self._schedule_open(client, start)
            self._assemble(client, start)

    @property
    def next_at(self) -> float:
        """When the next request arrives; infinity when none will."""
        return self._queue[0].at if self._queue else math.inf

    @property
    def next_deadline(self) -> float:
        """When the next client may lose patience."""
        return self._patience[0][0] if self._patience else math.inf

    def take(self) -> Request:
        """The next request, at its arrival."""
        due = heapq.heappop(self._queue)
        client = self.clients[due.client]
        history, session = due.history, due.session
        if due.open:
            self._schedule_open(client, due.at)
        if not history:
            history, session = self.composer.opening(client, session)
        return self.composer.request(client, due.at, history, session)

    def connected(self, request: Request) -> None:
        """A request got through to the server: its client's patience begins to run."""
        if request.group < 0:
            return
        traffic = self.clients[request.group].traffic
        for patience, whole in ((traffic.patience_s, False), (traffic.deadline_s, True)):
            if patience is not None:
                due = (request.arrived_at + patience, request.number, request, whole)
                heapq.heappush(self._patience, due)

    def impatient(self, now: float) -> list[Request]:
        """Requests whose clients hang up now, for want of a first token or of the rest."""
        gone: list[Request] = []
        while self._patience and self._patience[0][0] <= now:
            _, _, request, whole = heapq.heappop(self._patience)
            if request.status is Status.FINISHED or (request.first_token_at is not None and not whole):
                continue
            if request.first_token_at is None:
                self.first_token(request, now)
            gone.append(request)
            self._gave_up(request, now)
        return gone

    def answered(self, request: Request, now: float) -> None:
        """A client has its whole answer: it may come back with the next turn."""
        if request.group < 0:
            return
        client = self.clients[request.group]
        traffic = client.traffic
        said = request.segments[1:] if request.stamped else request.segments
        history = (*said, request.output)
        goes_on = traffic.sessions is not None and sum(s.tokens for s in history) < traffic.sessions.longest
        if traffic.crew is not None:
            kept = (history, request.session) if goes_on else ((), -1)
            self._come_back(client, now, traffic.crew.think_s, *kept)
            return
        if traffic.sessions is None or self._think.random() < 1.0 / traffic.sessions.turns:
            return
        at = now + self._think.expovariate(1.0 / traffic.sessions.think_s)
        if goes_on:
            self._push(at, client.index, history, request.session)

    def lost(self, request: Request, now: float) -> None:
        """The connection broke, was refused, or brought an error instead of an answer."""
        if request.group >= 0 and self.clients[request.group].traffic.crew is not None:
            self._come_back(self.clients[request.group], now, RECONNECT_S)

    def first_token(self, request: Request, now: float) -> None:
        if request.group >= 0:
            self.clients[request.group].observe_wait(now - request.arrived_at + request.held_s, now)

    def _gave_up(self, request: Request, now: float) -> None:
        client = self.clients[request.group]
        traffic = client.traffic
        if traffic.crew is not None:
            self._come_back(client, now, traffic.retry_s or traffic.crew.think_s)
        elif traffic.retry_s is not None:
            self._push(now + self._think.expovariate(1.0 / traffic.retry_s), client.index)

    def _come_back(
        self, client: Client, now: float, pause_s: float, history: tuple[Segment, ...] = (), session: int = -1
    ) -> None:
        at = now + self._think.expovariate(1.0 / pause_s)
        crew = client.traffic.crew
        if crew is not None and at < crew.until:
            self._push(at, client.index, history, session)

    def _assemble(self, client: Client, start: float) -> None:
        crew = client.traffic.crew
        for _ in range(crew.members if crew is not None else 0):
            assert crew is not None
            begin = max(start, crew.since)
            self._push(begin + self._think.random() * crew.spread_s, client.index)

    def _schedule_open(self, client: Client, now: float) -> None:
        at = client.next_arrival(now)
        if at < math.inf:
            self._push(at, client.index, is_open=True)

    def _push(
        self,
        at: float,
        client: int,
        history: tuple[Segment, ...] = (),
        session: int = -1,
        *,
        is_open: bool = False,
    ) -> None:
        self._decisions += 1
        heapq.heappush(self._queue, Due(at, self._decisions, client, history, session, is_open))
