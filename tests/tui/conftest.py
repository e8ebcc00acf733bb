"""The same picture everywhere: no animation, no colours of somebody's own, one time zone."""

from __future__ import annotations

import os
import time

import pytest

_SNAPSHOT_VARIABLE = "TEXTUAL_SNAPSHOT_TEMPDIR"

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when Textual is imported
os.environ["TZ"] = "UTC"
time.tzset()
for _name in ("NO_COLOR", "TEXTUAL_THEME"):
    os.environ.pop(_name, None)


_snapshot_directory: list[str] = []


def pytest_collection_modifyitems() -> None:
    """Keep what the snapshot plugin has put into the environment, which is scrubbed when the first test begins."""
    _snapshot_directory[:] = [os.environ[name] for name in (_SNAPSHOT_VARIABLE,) if name in os.environ]


@pytest.fixture(autouse=True)
def _snapshots_find_their_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    for directory in _snapshot_directory:
        monkeypatch.setenv(_SNAPSHOT_VARIABLE, directory)
