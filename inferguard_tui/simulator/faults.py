"""What goes wrong with the process itself, declared by time: freezes, crashes, a slow API server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stall:
    """The engine loop is frozen: `/metrics` answers, nothing moves, accepted requests hang."""

    at: float
    seconds: float
    when_idle: bool = False
    """It waits for the first instant without a request, so that every gauge stands at an idle value."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The server is gone: connections are refused; after `seconds` a new one starts from zero."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class SlowApi:
    """The API process answers late while the engine runs on."""

    at: float
    seconds: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class Throttle:
    """The GPU runs slower: every step takes `factor` times as long."""

    at: float
    seconds: float
    factor: float


@dataclass(frozen=True, slots=True)
class ShapeCrash:
    """A request shape that the engine cannot bear: `together` of them at once run it out of memory.

    From `at` for `seconds`. A new process comes up after `restart_s`, and dies of the next ones.
    """

    at: float
    seconds: float
    prompt_tokens: int
    max_tokens: int
    """The shape: at least this long a prompt, and at least this much asked for."""
    together: int = 2
    restart_s: float = 20.0


Fault = Stall | Crash | SlowApi | Throttle | ShapeCrash
