"""Where our own faults are written down: `inferguard.log` in the state directory, two files of 1 MiB at most.

It holds tracebacks of failures that the monitor survived, never pages, secrets or anything a person waits for.
Without a writable directory the monitor works the same and says that it keeps no log.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOGGER = logging.getLogger("inferguard")
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False
MAX_BYTES = 2**20


def open_journal(state_dir: Path) -> str:
    """Send `LOGGER` to the journal in `state_dir`, readable by its owner only; why it cannot, else empty."""
    path = state_dir / "inferguard.log"
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)
    except OSError as error:
        return f"state directory {state_dir}: {error.strerror}; nothing is kept there"
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    LOGGER.addHandler(handler)
    return ""
