"""What goes wrong with the process itself, declared by time: freezes, crashes, a slow API server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stall:
    """The engine loop is frozen: `/metrics` answers, nothing moves, accepted requests hang."""

    at: float
    seconds: float


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


Fault = Stall | Crash | SlowApi
