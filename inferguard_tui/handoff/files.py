"""Writing a hand-off: into the state directory, readable by its owner alone, never over an older one."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "exports"
_LONGEST = 120
_ATTEMPTS = 100


def plain_name(incident_id: str) -> str:
    """An incident id as part of a file name: letters, digits, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", incident_id).strip("-.")[:_LONGEST] or "incident"


def write_page(folder: Path, incident_id: str, text: str) -> Path | BadInput:
    """Write `text` as `NAME.md`, `NAME-2.md` where that is taken."""
    stem = plain_name(incident_id)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for number in range(1, _ATTEMPTS):
            path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.md"
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            except FileExistsError:
                continue
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            return path
    except OSError as error:
        return BadInput(f"{folder}: {printable(error.strerror or str(error))}")
    return BadInput(f"{folder}: holds {_ATTEMPTS - 1} exports of {stem} already; remove some")
