"""Recordings: one endpoint's pages over time, in a file of gzipped JSON Lines.

Reading forgives a cut and a bad line, with a warning, and nothing else: a file that is no recording is
refused with one line. Files of other recorders carry the names of their HTTP library's exceptions; these are
translated.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.poll import EndpointFacts, Failure, FailureKind, ModelCard, Poll, ProofLevel
from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.gzip_lines import GZIP_MAGIC, GzipLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FORMAT_VERSION = 1
_SHOWN_WARNINGS = 20

_FOREIGN_NAMES = {
    FailureKind.REFUSED: ("ClientConnectorError", "ConnectionRefusedError", "ConnectError"),
    FailureKind.UNRESOLVED: ("ClientConnectorDNSError", "gaierror"),
    FailureKind.TIMED_OUT: (
        "TimeoutError",
        "ServerTimeoutError",
        "SocketTimeoutError",
        "ConnectionTimeoutError",
        "ConnectTimeout",
        "ReadTimeout",
        "PoolTimeout",
    ),
    FailureKind.DISCONNECTED: (
        "ServerDisconnectedError",
        "ClientOSError",
        "ClientPayloadError",
        "ConnectionResetError",
        "IncompleteReadError",
        "ReadError",
        "RemoteProtocolError",
    ),
    FailureKind.TLS: (
        "ClientConnectorCertificateError",
        "ClientConnectorSSLError",
        "ClientSSLError",
        "SSLError",
        "SSLCertVerificationError",
    ),
}
_KINDS: Mapping[str, FailureKind] = {
    **{kind.value: kind for kind in FailureKind},
    **{name: kind for kind, names in _FOREIGN_NAMES.items() for name in names},
}
"""Error names of a poll's `status`: ours, aiohttp's, httpx's and the standard library's."""


@dataclass(frozen=True, slots=True)
class Header:
    """First line of a recording."""

    endpoint: str
    created_unix: float
    interval_s: float
    note: str = ""

    @property
    def name(self) -> str:
        """host:port, for people."""
        return self.endpoint.partition("://")[2] or self.endpoint


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording in memory."""

    header: Header
    polls: tuple[Poll, ...]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class RecordingFile:
    """A recording whose header has been read. `open` is the way to one."""

    path: Path
    header: Header
    warnings: list[str] = field(default_factory=list)
    """What was left out by the newest iteration of `polls`, in words; complete when it has ended."""

    @staticmethod
    def open(path: Path) -> RecordingFile | BadInput:
        """Read the header only."""
        try:
            with path.open("rb") as file:
                magic = file.read(len(GZIP_MAGIC))
            if magic != GZIP_MAGIC:
                what = "is empty" if not magic else "is not gzip"
                return BadInput(f"{path}: {what}; a recording (*.jsonl.gz) is needed")
            first = next(iter(GzipLines(path)), b"")
        except OSError as error:
            return BadInput(f"{path}: {printable(error.strerror or str(error))}")
        header = _header(first)
        return RecordingFile(path, header) if isinstance(header, Header) else BadInput(f"{path}: {header}")

    def polls(self) -> Iterator[Poll]:
        """Every poll, lazily, in order. What cannot be read is left out and said in `warnings`."""
        self.warnings.clear()
        lines = GzipLines(self.path)
        skipped = 0
        previous = -math.inf
        try:
            for number, line in enumerate(lines, start=1):
                if number == 1 or not line.strip():
                    continue
                poll = _poll(line, self.header.created_unix)
                reason = poll if isinstance(poll, str) else "goes back in time" if poll.t < previous else ""
                if isinstance(poll, Poll) and not reason:
                    previous = poll.t
                    yield poll
                    continue
                skipped += 1
                if skipped <= _SHOWN_WARNINGS:
                    self.warnings.append(f"{self.path}: line {number} {reason}; left out")
        except OSError as error:
            self.warnings.append(f"{self.path}: {printable(error.strerror or str(error))}; read up to there")
        if skipped > _SHOWN_WARNINGS:
            self.warnings.append(f"{self.path}: {counted(skipped, 'line was', 'lines were')} left out in all")
        if lines.warning:
            self.warnings.append(f"{self.path}: {lines.warning}")

    def load(self) -> Recording:
        polls = tuple(self.polls())
        return Recording(self.header, polls, tuple(self.warnings))


class RecordingSource:
    """Hands out recorded polls one by one, then `Ended`. Their times are the recording's own."""

    def __init__(self, endpoint: str, polls: Sequence[Poll]) -> None:
        self._endpoint = endpoint
        self._polls = polls
        self._next = 0

    @property
    def endpoint(self) -> str:
        return self._endpoint

    @property
    def proof(self) -> ProofLevel:
        return ProofLevel.RECORDED

    async def poll(self) -> Poll:
        if self._next < len(self._polls):
            self._next += 1
            return self._polls[self._next - 1]
        last = self._polls[-1] if self._polls else Poll(0.0, 0.0, 0.0, body="")
        return Poll(last.t, last.unix, 0.0, failure=Failure(FailureKind.ENDED, "the recording has ended"))

    def refresh_facts(self) -> None:
        """Recorded facts come when they were recorded."""

    async def close(self) -> None:
        """Nothing is held open."""


def _header(line: bytes) -> Header | str:
    """The header, or what is wrong with it."""
    entry = _object(line)
    version = entry.get("inferguard_recording") if entry else None
    if entry is None or version is None:
        return "its first line is not the header of a recording"
    if version != FORMAT_VERSION or isinstance(version, bool):
        shown = printable(str(version), 20)
        return f"recording format {shown} cannot be read; this program reads format {FORMAT_VERSION}"
    endpoint, note = entry.get("endpoint"), entry.get("note", "")
    created, interval = _number(entry.get("created_unix")), _number(entry.get("interval_s"))
    if not isinstance(endpoint, str) or created is None or interval is None or interval <= 0:
        return "its header lacks a valid endpoint, created_unix or interval_s"
    return Header(printable(endpoint), created, interval, printable(note) if isinstance(note, str) else "")


def _poll(line: bytes, created_unix: float) -> Poll | str:
    """The poll of one line, or what is wrong with it."""
    entry = _object(line)
    if entry is None:
        return "is not a JSON object"
    t, status, body = _number(entry.get("t")), entry.get("status"), entry.get("body", "")
    if t is None:
        return "has no time"
    unix, ms = _number(entry.get("unix")), _number(entry.get("ms"))
    unix, ms = created_unix + t if unix is None else unix, ms or 0.0
    facts = _facts(entry.get("aux"))
    if status == HTTPStatus.OK and not isinstance(status, bool):
        if not isinstance(body, str):
            return "has no body"
        size = len(body) if body.isascii() else len(body.encode("utf-8", "replace"))
        return Poll(t, unix, ms, body=body, facts=facts, size=size)
    if isinstance(status, bool) or not isinstance(status, int | str):
        return "has no status"
    return Poll(t, unix, ms, failure=_failure(status, entry.get("error")), facts=facts)


def _failure(status: int | str, message: object) -> Failure:
    shown = printable(str(status), 60)
    if isinstance(status, str):
        kind, number = _KINDS.get(status, FailureKind.UNREACHABLE), None
        said = f"no page; the recording says {shown}"
    else:
        kind, number, said = _kind_of_status(status), status, f"the endpoint answered with HTTP {shown}"
    return Failure(kind, printable(message, 300) if isinstance(message, str) and message else said, number)


def _kind_of_status(status: int) -> FailureKind:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return FailureKind.UNAUTHORIZED
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return FailureKind.REDIRECTED
    return FailureKind.HTTP_ERROR


def _facts(aux: object) -> EndpointFacts | None:
    if not isinstance(aux, dict):
        return None
    version, models, notes = aux.get("version"), aux.get("models"), aux.get("notes")
    cards = (_model(entry) for entry in models) if isinstance(models, list) else ()
    return EndpointFacts(
        version=printable(version, 60) if isinstance(version, str) else None,
        models=tuple(card for card in cards if card),
        notes=tuple(printable(note) for note in notes if isinstance(note, str))
        if isinstance(notes, list)
        else (),
        config=_texts(aux.get("config")),
    )


def _texts(entry: object) -> dict[str, str]:
    """The text fields of an object; anything else has none."""
    fields = entry.items() if isinstance(entry, dict) else ()
    return {printable(str(k), 60): printable(v, 60) for k, v in fields if isinstance(v, str)}


def _model(entry: object) -> ModelCard | None:
    """A model of `aux`: its name, or an object in the form of /v1/models."""
    match entry:
        case str(name):
            return ModelCard(printable(name))
        case {"id": str(name), "max_model_len": int(length)} if length > 0:
            return ModelCard(printable(name), length)
        case {"id": str(name)}:
            return ModelCard(printable(name))
    return None


def _object(line: bytes) -> dict[str, object] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _number(value: object) -> float | None:
    """A finite JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
