"""Makes the pictures of the README from the real screens: `make pictures`.

The dashboard shows one of our recordings of a real engine under pressure; nothing in it is made up.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from inferguard_core.detect.limits import Limits
from inferguard_core.sources.recording import Recording
from inferguard_tui.app import InferGuardApp
from inferguard_tui.replay_feed import ReplayFeed
from inferguard_tui.session import open_recording
from inferguard_tui.terminal import Terminal

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "tests" / "fixtures" / "recordings" / "vllm-0.32-kv_pressure.jsonl.gz"
AT_S = 74.0
SIZE = (120, 40)


async def dashboard() -> str:
    """The endpoint's screen at the height of the recorded incident, as SVG."""
    recording = open_recording(RECORDING)
    assert isinstance(recording, Recording)
    feed = ReplayFeed(recording, Limits())
    feed.seek(AT_S)
    feed.toggle_pause()
    app = InferGuardApp(feed, terminal=Terminal())
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(20):
            await pilot.pause(0.1)
        return app.export_screenshot()


if __name__ == "__main__":
    (ROOT / "docs" / "pictures" / "dashboard.svg").write_text(asyncio.run(dashboard()), "utf-8")
