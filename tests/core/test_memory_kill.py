"""A kill -9 costs at most the last second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.core.kill_loop import loop

if TYPE_CHECKING:
    from pathlib import Path


def test_a_store_opens_after_every_kill_with_every_incident_once(tmp_path: Path) -> None:
    assert loop(tmp_path / "state.db", kills=4) > 0
