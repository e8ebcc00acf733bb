"""A simulated engine as a poll source on virtual time: each poll is one interval later, at no cost in waiting."""

from __future__ import annotations

import time

from inferguard_core.poll import EndpointFacts, Failure, FailureKind, ModelCard, Poll, ProofLevel
from inferguard_tui.simulator.engine import Condition, SimulatedEngine


class SimulatedSource:
    """Satisfies `inferguard_core.poll.Source`. The first poll is at scenario time 0.

    `timeout_s` is the deadline that a poll of a slow API server misses.
    """

    def __init__(
        self,
        engine: SimulatedEngine,
        *,
        interval_s: float = 2.0,
        endpoint: str = "http://simulated",
        timeout_s: float = 2.0,
    ) -> None:
        self.engine = engine
        self._endpoint = endpoint
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._polls = 0
        self._told_of: object = None

    @property
    def endpoint(self) -> str:
        return self._endpoint

    @property
    def proof(self) -> ProofLevel:
        return ProofLevel.SIMULATED

    async def poll(self) -> Poll:
        """Advance the engine by the interval and read it. `ms` is the time our own work took."""
        engine = self.engine
        at = self._polls * self._interval_s
        self._polls += 1
        began = time.perf_counter()
        engine.advance(at)
        failure = self._failure()
        body = None if failure else engine.exposition()
        ms = (time.perf_counter() - began) * 1e3 + engine.api_delay_s * 1e3
        if failure is not None or body is None:
            return Poll(t=at, unix=engine.epoch_unix + at, ms=ms, failure=failure)
        facts = None if self._told_of is engine.process else self._facts()
        self._told_of = engine.process
        return Poll(t=at, unix=engine.epoch_unix + at, ms=ms, body=body, facts=facts, size=len(body.encode()))

    async def close(self) -> None:
        """Nothing is held open."""

    def _failure(self) -> Failure | None:
        if self.engine.condition is Condition.DOWN:
            return Failure(FailureKind.REFUSED, "connection refused: the simulated server is down")
        if self.engine.api_delay_s > self._timeout_s:
            return Failure(FailureKind.TIMED_OUT, f"no answer within {self._timeout_s:g} s")
        return None

    def _facts(self) -> EndpointFacts:
        size = self.engine.scenario.size
        return EndpointFacts(
            version=self.engine.dialect.version,
            models=(ModelCard(size.model, size.max_model_len),),
        )
