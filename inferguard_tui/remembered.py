"""How a person last looked, from one run to the next: `session.json` in the state directory.

It holds a choice of view and nothing that was seen. A file that cannot be read is written about in the log and
otherwise as good as none; one that cannot be written costs only the memory.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from inferguard_core.frame import SPANS_S
from inferguard_core.journal import LOGGER
from inferguard_core.printable import printable

FILE = "session.json"
MAX_BYTES = 65536
_MAX_TEXT = 2048


@dataclass(frozen=True, slots=True)
class Remembered:
    """A view. Empty means that nothing was chosen."""

    endpoint: str = ""
    """Key of the endpoint that a person looked at last."""
    window_s: float = SPANS_S[0]
    """Span of the charts, one of the core's `SPANS_S`."""
    theme: str = ""
    sort: str = ""
    """Order of the fleet, by the name the fleet gives it."""


def load(state_dir: Path) -> Remembered:
    """What the last run left, or nothing."""
    path = state_dir / FILE
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        return _read(text)
    except FileNotFoundError:
        return Remembered()
    except (OSError, ValueError, RecursionError) as error:
        LOGGER.warning("%s is not used: %s", path, printable(str(error)))
        return Remembered()


def _read(text: bytes) -> Remembered:
    if len(text) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    found: Any = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("is not an object")  # noqa: TRY004 - the file is at fault
    kept = {field.name: found[field.name] for field in fields(Remembered) if field.name in found}
    for name, value in kept.items():
        if name == "window_s":
            if value not in SPANS_S:
                raise ValueError(f"window_s {printable(repr(value), 40)} is none of {SPANS_S}")
        elif not isinstance(value, str) or len(value) > _MAX_TEXT:
            raise ValueError(f"{name} is not a text")
    return Remembered(**kept)


def save(state_dir: Path, view: Remembered) -> None:
    """Replace the file whole, readable by its owner only."""
    made = ""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it 0600.
        handle, made = tempfile.mkstemp(prefix=f".{FILE}.", dir=state_dir)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(view), file)
        Path(made).replace(state_dir / FILE)
    except OSError as error:
        LOGGER.warning("%s is not written: %s", state_dir / FILE, error.strerror)
        if made:
            Path(made).unlink(missing_ok=True)
