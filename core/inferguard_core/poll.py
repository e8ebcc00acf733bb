"""One attempt to read one endpoint, as a value: a page or a reason. Nothing here raises across the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailureKind(StrEnum):
    """Why there is no page. The values appear in recordings, JSON and on screen."""

    REFUSED = "Refused"
    UNRESOLVED = "Unresolved"
    UNREACHABLE = "Unreachable"
    TIMED_OUT = "TimedOut"
    DISCONNECTED = "Disconnected"
    TLS = "TlsError"
    REDIRECTED = "Redirected"
    UNAUTHORIZED = "Unauthorized"
    HTTP_ERROR = "HttpError"
    NOT_METRICS = "NotMetrics"
    TOO_LARGE = "TooLarge"
    STALE = "Stale"
    """A metrics server answers, but holds no recent sample."""
    INTERNAL = "InternalError"
    """Our own code failed on this endpoint; the others go on."""
    ENDED = "Ended"
    """A recording has no more polls."""


@dataclass(frozen=True, slots=True)
class Failure:
    kind: FailureKind
    message: str
    """One line for a person: what happened and what to look at. Control characters are stripped."""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One entry of /v1/models."""

    name: str
    max_model_len: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What the read-only endpoints besides /metrics said; asked once and again after a restart."""

    version: str | None = None
    models: tuple[ModelCard, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be asked and why, in words (an api key is needed, …)."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Selected server arguments by their own name (`max_running_requests`), where the engine tells them."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One attempt. Exactly one of `body` and `failure` is set."""

    t: float
    """Monotonic seconds at the start of the attempt; windows and ages use only this clock."""
    unix: float
    ms: float
    """Wall time of the attempt."""
    body: str | None = None
    failure: Failure | None = None
    facts: EndpointFacts | None = None
    """Set when it changed, else None."""
    size: int = field(default=0, compare=False)
    """Bytes of the decoded body."""
    lacking: str = ""
    """The engine's flag without which the page holds little of what it could."""
    simulated: bool = False
    """The endpoint says of itself that it is a simulation."""


class ProofLevel(StrEnum):
    """Where numbers come from; shown beside them."""

    LIVE = "live"
    SIMULATED = "simulated"
    RECORDED = "recorded"


class Source(Protocol):
    """Anything that can be polled: a live endpoint, a recording, a simulator in process."""

    @property
    def endpoint(self) -> str:
        """URL without credentials; the key of everything that is remembered."""
        ...

    @property
    def proof(self) -> ProofLevel: ...

    async def poll(self) -> Poll:
        """One attempt, within its own total deadline. Never raises for what an endpoint does."""
        ...

    def refresh_facts(self) -> None:
        """Ask version and models again with the next good poll: the process is another one."""
        ...

    async def close(self) -> None: ...
