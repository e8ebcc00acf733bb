"""Writes recordings: what was read from one endpoint, poll by poll, as it came.

Each poll is flushed to the operating system as complete deflate blocks, so a killed process leaves every
written poll readable, for 1 % more bytes. No credential is ever written: a Poll holds none.
"""

from __future__ import annotations

import json
import re
import zlib
from io import FileIO
from typing import TYPE_CHECKING

from inferguard_core.poll import EndpointFacts, Failure, FailureKind, Poll
from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import FORMAT_VERSION, Header

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

_SUFFIX = ".jsonl.gz"
_BY_STATUS = {FailureKind.HTTP_ERROR, FailureKind.UNAUTHORIZED, FailureKind.REDIRECTED}
"""Kinds that the reader tells from the HTTP status, which is therefore what is recorded."""


class RecordingWriter:
    """One open recording. Errors of the disk are values; after one, nothing more is written."""

    def __init__(self, file: FileIO, path: Path) -> None:
        self.path = path
        self._file = file
        self._gzip = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        self._begin: float | None = None
        self._error: BadInput | None = None

    @staticmethod
    def create(path: Path, header: Header, *, overwrite: bool = False) -> RecordingWriter | BadInput:
        """Open `path` and write the header; an existing file is left alone unless `overwrite`."""
        try:
            file = FileIO(path, "wb" if overwrite else "xb")
        except FileExistsError:
            return BadInput(f"{path}: exists; give another name, or allow overwriting it")
        except OSError as error:
            return BadInput(f"{path}: {printable(error.strerror or str(error))}")
        writer = RecordingWriter(file, path)
        entry = {
            "inferguard_recording": FORMAT_VERSION,
            "endpoint": header.endpoint,
            "created_unix": header.created_unix,
            "interval_s": header.interval_s,
            "note": header.note,
        }
        if failed := writer._line(entry):
            writer.close()
            return failed
        return writer

    def write(self, poll: Poll) -> BadInput | None:
        """Append `poll`; times count from the first one. An error stays and is returned each time."""
        if self._begin is None:
            self._begin = poll.t
        entry: dict[str, object] = {
            "t": round(poll.t - self._begin, 6),
            "unix": round(poll.unix, 6),
            "status": 200 if poll.failure is None else _status(poll.failure),
            "ms": round(poll.ms, 3),
            "body": poll.body or "",
        }
        if poll.failure:
            entry["error"] = poll.failure.message
        if poll.facts:
            entry["aux"] = _aux(poll.facts)
        return self._line(entry)

    def close(self) -> BadInput | None:
        """Finish the gzip data. Closing twice does nothing."""
        if self._file.closed:
            return self._error
        error = self._put(self._gzip.flush(zlib.Z_FINISH))
        try:
            self._file.close()
        except OSError as failed:
            return self._fail(failed)
        return error

    def _line(self, entry: dict[str, object]) -> BadInput | None:
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        return self._put(self._gzip.compress(line) + self._gzip.flush(zlib.Z_SYNC_FLUSH))

    def _put(self, data: bytes) -> BadInput | None:
        view = memoryview(data)
        try:
            while view and not self._error:
                view = view[self._file.write(view) :]
        except OSError as error:
            return self._fail(error)
        return self._error

    def _fail(self, error: OSError) -> BadInput:
        self._error = BadInput(
            f"{self.path}: {printable(error.strerror or str(error))}; the recording ends here"
        )
        return self._error


def recording_paths(out: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """A file for each endpoint, given as host:port: `out` for a single one, else NAME-HOST-PORT.jsonl.gz.

    Endpoints with the same host and port (behind different paths) are told apart by -2, -3, …
    """
    if len(names) == 1:
        return (out,)
    paths: list[Path] = []
    for name in names:
        paths.append(recording_path(out, name, paths))
    return tuple(paths)


def recording_path(out: Path, name: str, taken: Collection[Path]) -> Path:
    """NAME-HOST-PORT.jsonl.gz beside `out`, and none of `taken`."""
    stem = out.name.removesuffix(".gz").removesuffix(".jsonl")
    plain = f"{stem}-{re.sub(r'[^A-Za-z0-9.]+', '-', name).strip('-')}"
    path, count = out.with_name(plain + _SUFFIX), 1
    while path in taken:
        count += 1
        path = out.with_name(f"{plain}-{count}{_SUFFIX}")
    return path


def _status(failure: Failure) -> int | str:
    return failure.status if failure.status and failure.kind in _BY_STATUS else failure.kind.value


def _aux(facts: EndpointFacts) -> dict[str, object]:
    models = [
        {"id": card.name} | ({"max_model_len": card.max_model_len} if card.max_model_len else {})
        for card in facts.models
    ]
    return {
        "version": facts.version,
        "models": models,
        "notes": list(facts.notes),
        "config": dict(facts.config),
    }
