"""The last minutes of raw pages of an endpoint, packed, so that an incident can be handed over as a recording.

From one poll to the next the series of a page stay and values move: what is kept of most pages is the values that
moved. Bounded in time and in bytes; what does not fit any more goes, oldest first. Nothing is written to disk before
a person asks.
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
_LEVEL: Final = 6
"""Of zlib: on recorded pages a tenth smaller than 3 for 0.02 ms more; 9 gains nothing on changes."""
_WHOLE_EVERY: Final = 60
"""Pages that are kept as changes against one that is whole."""
_LINE, _VALUE = "!", "="
"""Which of the two a changed line is kept as."""


class _Kept(NamedTuple):
    poll: Poll
    """Without its body."""
    body: bytes | None
    """Compressed: a page, or the changes against `whole`; None for a failed poll."""
    whole: bytes | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Polls as they were kept at one moment; may be written on another thread."""

    kept: tuple[_Kept, ...]
    facts: EndpointFacts | None
    """What was known of the endpoint before the first of them."""

    @classmethod
    def of(cls, polls: Iterable[Poll]) -> Slice:
        """These polls, as if they had been kept."""
        return cls(tuple(map(_Packer().packed, polls)), None)

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
        self._packer = _Packer()
        self.bytes = 0

    def add(self, poll: Poll) -> None:
        """Keep `poll`; polls come in order."""
        kept = self._packer.packed(poll)
        self._kept.append(kept)
        self.bytes += len(kept.body or b"")
        oldest = poll.t - self._seconds
        while len(self._kept) > 1 and (self._kept[0].poll.t < oldest or self.bytes > self._size):
            gone = self._kept.popleft()
            self._facts = gone.poll.facts or self._facts
            self.bytes -= len(gone.body or b"")

    def slice(self, seconds: float = KEPT_S) -> Slice:
        """What is kept now of the last `seconds`."""
        since = self._kept[-1].poll.t - seconds if self._kept else 0.0
        facts = self._facts
        for each in self._kept:
            if each.poll.t >= since:
                break
            facts = each.poll.facts or facts
        return Slice(tuple(each for each in self._kept if each.poll.t >= since), facts)


class _Packer:
    """Packs the polls of one endpoint, each page against one shortly before it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._whole = b""
        self._since_whole = 0

    def packed(self, poll: Poll) -> _Kept:
        bare = replace(poll, body=None)
        if poll.body is None:
            return _Kept(bare, None)
        lines = poll.body.split("\n")
        if len(lines) == len(self._lines) and self._since_whole < _WHOLE_EVERY:
            told = _changes(self._lines, lines)
            if len(told) * 2 < len(poll.body):
                self._since_whole += 1
                return _Kept(bare, _compressed(told), self._whole)
        self._lines, self._whole, self._since_whole = lines, _compressed(poll.body), 0
        return _Kept(bare, self._whole)


def _changes(was: list[str], now: list[str]) -> str:
    """The lines in which two pages of as many lines differ.

    First how far each is from the one before, then each, its value alone where its series stayed.
    """
    steps, changed, last = [], [], 0
    for i, (line_was, line) in enumerate(zip(was, now, strict=True)):
        if line_was != line:
            steps.append(str(i - last))
            last = i
            series, space, value = line.rpartition(" ")
            same = space and series == line_was.rpartition(" ")[0]
            changed.append(f"{_VALUE}{value}" if same else f"{_LINE}{line}")
    return "\n".join((" ".join(steps), *changed))


def _changed(lines: list[str], told: str) -> list[str]:
    """What `_changes` told of, on the page it was told against."""
    steps, *changed = told.split("\n")
    i = 0
    for step, each in zip(steps.split(), changed, strict=True):
        i += int(step)
        lines[i] = each[1:] if each[0] == _LINE else f"{lines[i].rpartition(' ')[0]} {each[1:]}"
    return lines


def _compressed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "replace"), _LEVEL)


def _restored(kept: _Kept) -> Poll:
    if kept.body is None:
        return kept.poll
    text = zlib.decompress(kept.body).decode("utf-8", "replace")
    if kept.whole is None:
        return replace(kept.poll, body=text)
    lines = zlib.decompress(kept.whole).decode("utf-8", "replace").split("\n")
    return replace(kept.poll, body="\n".join(_changed(lines, text)))
