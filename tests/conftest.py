"""Every test starts from the same environment: nobody's settings, nobody's home directory, no chosen colours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A wall-clock deadline fails on a busy machine, whatever the code does.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "local")

_SCRUBBED_PREFIXES = ("INFERGUARD_", "GMI_", "UPSTASH_", "TEXTUAL_")
_KEPT = {"TEXTUAL_SNAPSHOT_TEMPDIR"}
"""Put there by the snapshot plugin itself, before the first test."""
_SCRUBBED = {
    "TARGET_ENDPOINT",
    "KV_ALERT_THRESHOLD",
    "TTFT_ALERT_MULTIPLIER",
    "POLL_INTERVAL_SECONDS",
    "BL_API_KEY",
    "DAYTONA_API_KEY",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "LINES",
}


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in _SCRUBBED or (name.startswith(_SCRUBBED_PREFIXES) and name not in _KEPT):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(variable, str(home / variable.lower()))
        yield
