"""Makes the pictures of the README from the real screens: `make pictures`.

They show one of our recordings of a real engine under pressure; nothing in them is made up.
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


async def picture(*keys: str) -> str:
    """The screen that `keys` lead to from the dashboard, at the height of the recorded incident, as SVG."""
    recording = open_recording(RECORDING)
    assert isinstance(recording, Recording)
    feed = ReplayFeed(recording, Limits())
    feed.seek(AT_S)
    feed.toggle_pause()
    app = InferGuardApp(feed, terminal=Terminal())
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(20):
            await pilot.pause(0.1)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.5)
        return app.export_screenshot()


if __name__ == "__main__":
    for name, keys in (("dashboard", ()), ("incident", ("i",))):
        (ROOT / "docs" / "pictures" / f"{name}.svg").write_text(asyncio.run(picture(*keys)), "utf-8")
