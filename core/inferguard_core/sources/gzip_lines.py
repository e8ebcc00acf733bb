"""Lines of a gzip file, up to wherever it was cut.

The standard reader raises at a cut and drops what its buffer held. A recording that ended with a power cut is
most worth reading near its end, so this one inflates by itself and hands out every complete byte.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
MAX_LINE_BYTES = 64 * 2**20
_CHUNK = 256 * 1024


@dataclass(slots=True)
class GzipLines:
    """Iterates the lines of `path` without their newline, members joined; memory is bounded by one line."""

    path: Path
    warning: str = field(default="", init=False)
    """After the iteration: why it ended before the file's proper end, or empty."""

    def __iter__(self) -> Iterator[bytes]:
        """Raises OSError when the file cannot be opened or read."""
        self.warning = ""
        pending = bytearray()
        with self.path.open("rb") as file:
            for piece in self._inflated(file):
                pending += piece
                *lines, rest = bytes(pending).split(b"\n") if b"\n" in piece else (bytes(pending),)
                if lines:
                    yield from lines
                    pending = bytearray(rest)
                if len(pending) > MAX_LINE_BYTES:
                    self.warning = f"a line is longer than {MAX_LINE_BYTES} bytes; read up to it"
                    return
        if pending:
            yield bytes(pending)

    def _inflated(self, file: BinaryIO) -> Iterator[bytes]:
        """Decompressed pieces of at most `_CHUNK` bytes; stops with a warning at damage or a cut."""
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        begun = False
        while chunk := member.unconsumed_tail or member.unused_data or file.read(_CHUNK):
            if member.eof:
                if not chunk.startswith(GZIP_MAGIC[: len(chunk)]):
                    self.warning = "bytes after the end of the gzip data were left out"
                    return
                member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            begun = True
            try:
                yield member.decompress(chunk, _CHUNK)
            except zlib.error as error:
                self.warning = f"damaged gzip data ({printable(str(error), 60)}); read up to the damage"
                return
        if begun and not member.eof:
            yield member.flush()
            self.warning = "the file was cut off; read up to the cut"
