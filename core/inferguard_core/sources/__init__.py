"""Where pages come from: engines over HTTP, a Prometheus server, recordings, and what is found on this host."""

from __future__ import annotations

import sys
from types import ModuleType


def _no_command_line() -> None:
    """Stands where httpx has its own command line."""


# Where click happens to be installed, httpx loads that command line, and rich and pygments for it: 3 MB and a tenth
# of a second that nothing here uses.
if "httpx" not in sys.modules and "httpx._main" not in sys.modules:
    sys.modules["httpx._main"] = ModuleType("httpx._main")
    sys.modules["httpx._main"].main = _no_command_line  # type: ignore[attr-defined]
