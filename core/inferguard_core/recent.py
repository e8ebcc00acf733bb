"""The last minutes of raw pages of an endpoint, compressed, so that an incident can be handed over as a recording.

Bounded in time and in bytes; what does not fit any more goes, oldest first. Nothing is written to disk before a
person asks.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from inferguard_core.poll import EndpointFacts, Poll
    from inferguard_core.sources.recording import Header

KEPT_S: Final = 600.0
KEPT_BYTES: Final = 8 * 2**20
_LEVEL: Final = 3
"""Of zlib: a page of 60 kB in under a millisecond, to about a tenth."""


class _Kept(NamedTuple):
    poll: Poll
    """Without its body."""
    body: bytes | None
    """Compressed; None for a failed poll."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Polls as they were kept at one moment; may be written on another thread."""

    kept: tuple[_Kept, ...]
    facts: EndpointFacts | None
    """What was known of the endpoint before the first of them."""

    @classmethod
    def of(cls, polls: Iterable[Poll]) -> Slice:
        """These polls, as if they had been kept."""
        return cls(tuple(map(_packed, polls)), None)

    def polls(self) -> tuple[Poll, ...]:
        """Oldest first, as they were polled; the first one carries the facts."""
        polls = tuple(map(_restored, self.kept))
        if not polls or polls[0].facts is not None:
            return polls
        return (replace(polls[0], facts=self.facts), *polls[1:])

    def write(self, path: Path, header: Header) -> Path | BadInput:
        """A recording at `path`, which must not exist yet."""
        # The writer and the format's reader beside it are 0.8 MiB: loaded by those who export.
        from inferguard_core.recorder import RecordingWriter

        if not self.kept:
            return BadInput("no page is kept of this endpoint")
        writer = RecordingWriter.create(path, header)
        if isinstance(writer, BadInput):
            return writer
        for poll in self.polls():
            if failed := writer.write(poll):
                return failed
        return writer.close() or path


class RecentPolls:
    """The newest polls of one endpoint, at most `seconds` of them and `size` bytes compressed."""

    def __init__(self, seconds: float = KEPT_S, size: int = KEPT_BYTES) -> None:
        self._seconds = seconds
        self._size = size
        self._kept: deque[_Kept] = deque()
        self._facts: EndpointFacts | None = None
        self.bytes = 0

    def add(self, poll: Poll) -> None:
        """Keep `poll`; polls come in order."""
        kept = _packed(poll)
        self._kept.append(kept)
        self.bytes += len(kept.body or b"")
        oldest = poll.t - self._seconds
        while len(self._kept) > 1 and (self._kept[0].poll.t < oldest or self.bytes > self._size):
            gone = self._kept.popleft()
            self._facts = gone.poll.facts or self._facts
            self.bytes -= len(gone.body or b"")

    def slice(self) -> Slice:
        """What is kept now."""
        return Slice(tuple(self._kept), self._facts)


def _packed(poll: Poll) -> _Kept:
    body = None if poll.body is None else zlib.compress(poll.body.encode("utf-8", "replace"), _LEVEL)
    return _Kept(replace(poll, body=None), body)


def _restored(kept: _Kept) -> Poll:
    if kept.body is None:
        return kept.poll
    return replace(kept.poll, body=zlib.decompress(kept.body).decode("utf-8", "replace"))
