"""A slice of recorded load on a staging engine, before and after: measured first, then judged, never passed unseen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from inferguard_brain.canary.verdict import Outcome
from inferguard_core.settings import Settings
from inferguard_tui.canary import Slice, replay_canary
from tests.replay.exports import cell, event, export, written
from tests.simulator.test_server import serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    turns = [event(0, 0, "a" * 400, 32), event(1, 0, "a" * 400 + "b" * 400, 32)]
    return written(tmp_path, export(*(cell(f"t{n}", turns) for n in range(8))))


async def test_before_is_measured_and_after_is_compared_with_it(sessions: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    async with serving() as (url, _, _):
        first = await replay_canary(Slice(url, sessions, before), Settings(), print)
        assert first.outcome is Outcome.NOT_RUN
        assert "run this again" in first.reason
        assert first.evidence == ("16 of 16 turns answered",)
        told = json.loads(before.read_text())
        for turn in told["turns"]:
            for name in ("ttft_s", "tpot_s", "e2e_s"):
                turn[name] = None if turn[name] is None else turn[name] / 10
        before.write_text(json.dumps(told))
        worse = await replay_canary(Slice(url, sessions, before), Settings(), print)
    assert worse.outcome is Outcome.FAILED, worse
    assert worse.reason.startswith("regressed")
    assert any("before" in row and "regressed" in row for row in worse.evidence)


async def test_another_load_or_no_engine_says_nothing(sessions: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    async with serving() as (url, _, _):
        await replay_canary(Slice(url, sessions, before, sessions=4), Settings(), print)
        other = await replay_canary(Slice(url, sessions, before, sessions=8), Settings(), print)
    assert other.outcome is Outcome.NOT_RUN
    assert "another load" in other.reason
    gone = await replay_canary(Slice("http://127.0.0.1:9", sessions, before), Settings(), print)
    assert (gone.outcome, "nothing is sent" in gone.reason) == (Outcome.NOT_RUN, True)
    before.write_text("{")
    bad = await replay_canary(Slice(url, sessions, before), Settings(), print)
    assert (bad.outcome, "not JSON" in bad.reason) == (Outcome.NOT_RUN, True)
