"""One class of clients at run time: when its open arrivals come, and how waits make it slow down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inferguard_tui.simulator.rng import stream

if TYPE_CHECKING:
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
