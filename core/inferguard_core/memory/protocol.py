"""What a memory is to those who use it: a write that never waits, reads that may take a moment.

`put` never raises and is not awaited: the record is taken into a queue, and what becomes of it shows in
`health`. A read answers from what is kept; where nothing can be read it answers that there is nothing, and
`health` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.actions import ActionHistory
    from inferguard_core.followup import Similar
    from inferguard_core.frame import PartHealth
    from inferguard_core.memory.case import Case
    from inferguard_core.memory.elsewhere import Rewritten
    from inferguard_core.memory.records import Audited, ReadingRow, Sent, Taught, Told
    from inferguard_core.memory.shape import Shape

    Record = Case | ReadingRow | Taught | Told | Audited | Sent


@dataclass(frozen=True, slots=True)
class Query:
    """What past incidents are wanted like: words, a shape, or both."""

    text: str = ""
    shape: Shape | None = None
    leave_out: str = ""
    """Id of the incident that asks: it is not like itself."""
    limit: int = 8


class Memory(Protocol):
    """One store of everything that outlives a run. Keys carry the endpoint."""

    async def start(self) -> None:
        """Open it. What stands in the way becomes the state, never an exception."""
        ...

    async def close(self) -> None:
        """Write what is queued, for a bounded time, and let go of files and sockets."""
        ...

    @property
    def health(self) -> tuple[PartHealth, ...]:
        """`ok`, `lagging n`, `down` since when, `read-only` or `off`, for each part of it."""
        ...

    def put(self, record: Record) -> None:
        """Keep a record. Of a case the newest version, with what people wrote into an older one."""
        ...

    async def case(self, incident_id: str) -> Case | None: ...

    async def cases(self, endpoint: str | None = None, limit: int = 100) -> tuple[Case, ...]:
        """Newest first."""
        ...

    async def learned(self, endpoint: str) -> Mapping[str, Any] | None: ...

    async def readings(self, endpoint: str, since: float) -> tuple[ReadingRow, ...]:
        """Readings from `since` to now in order of time, each span in the finest steps still kept of it."""
        ...

    async def events(self, endpoint: str | None = None, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        """The newest ones, in the order in which they happened."""
        ...

    async def audit(self, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        """The newest entries, in the order in which they were made."""
        ...

    async def recall(self, query: Query) -> tuple[Similar, ...]:
        """Past incidents like the query, best first."""
        ...

    async def track_record(self) -> ActionHistory:
        """How actions and fixes that were really applied have fared."""
        ...

    async def rewritten(self) -> tuple[Rewritten, ...]:
        """Incidents written since the call before, once another process has written; none at the first call."""
        ...


def priors(similar: Sequence[Similar]) -> list[dict[str, Any]]:
    """Recalled incidents as the brain takes them: plain values, no paths, no host."""
    return [
        {
            "incident_id": one.incident_id,
            "cause": one.cause,
            "headline": one.headline,
            "opened_unix": one.opened_unix,
            "lasted_s": one.lasted_s,
            "score": one.score,
            "why": list(one.why),
            "done": one.done,
            "grade": one.grade.value,
        }
        for one in similar
    ]
