"""Makes the pictures of the documentation from the real screens: `make pictures`, or with the names of some.

They show our recordings of real engines under faults; nothing in them is made up.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.frame import Frame
from inferguard_core.poll import ProofLevel
from inferguard_core.settings import Settings
from inferguard_core.settings.model import Memory
from inferguard_core.sources.recording import Recording
from inferguard_core.watch import EndpointWatch
from inferguard_tui.app import InferGuardApp
from inferguard_tui.program import Setup
from inferguard_tui.replay_feed import ReplayFeed
from inferguard_tui.session import open_recording
from inferguard_tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from inferguard_core.frame import EndpointFrame

ROOT = Path(__file__).parents[1]
RECORDINGS = ROOT / "tests" / "fixtures" / "recordings"
PRESSURE, PRESSURE_AT_S = "vllm-0.32-kv_pressure", 74.0
FLEET = (
    ("gpu-01:8000", "vllm-0.32-healthy", 110.0),
    ("gpu-02:30000", "sglang-0.5.23-kv_pressure", 110.0),
    ("gpu-03:8000", PRESSURE, PRESSURE_AT_S),
    ("gpu-04:8000", "vllm-0.32-stall", 110.0),
    ("gpu-05:8000", "vllm-0.32-healthy", 90.0),
)
"""Name, recording and instant of each endpoint: recorded at different times, shown as if at one."""
NOW = 1_767_225_600.0


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    size: tuple[int, int] = (120, 40)
    keys: tuple[str, ...] = ()
    theme: str | None = None
    fleet: bool = False


PICTURES = (
    Picture("dashboard"),
    Picture("small", (80, 24)),
    Picture("fleet", (120, 24), fleet=True),
    Picture("incident", keys=("i",)),
    Picture("dialect", keys=("c",)),
    Picture("zoom", keys=("j", "z")),
    Picture("light", theme="day"),
    Picture("contrast", theme="contrast-dark"),
    Picture("themes", (100, 30), keys=("t",)),
    Picture("commands", (100, 30), keys=("colon", *"cop")),
)


class StillFleet:
    """Several recordings, each stopped at its instant."""

    replay = None
    desk = None

    async def frames(self) -> AsyncIterator[Frame]:
        yield Frame(1, NOW, tuple(endpoint(*each) for each in FLEET))
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing is held."""


def recorded(name: str) -> Recording:
    recording = open_recording(RECORDINGS / f"{name}.jsonl.gz")
    assert isinstance(recording, Recording)
    return recording


def endpoint(name: str, recording: str, at_s: float) -> EndpointFrame:
    """What the monitor knew of a recorded engine `at_s` after the recording began."""
    found = recorded(recording)
    watch = EndpointWatch(f"http://{name}", name, found.header.interval_s, ProofLevel.RECORDED, Limits())
    start = found.polls[0].t
    polls = [poll for poll in found.polls if poll.t - start <= at_s]
    for poll in polls:
        watch.observe(replace(poll, unix=NOW - (polls[-1].t - poll.t)))
    age_s = None if watch.seen is None else polls[-1].t - watch.seen.poll.t
    return endpoint_frame(watch, NOW, age_s)


async def drawn(picture: Picture) -> str:
    """The picture as SVG."""
    if picture.fleet:
        feed: StillFleet | ReplayFeed = StillFleet()
    else:
        feed = ReplayFeed(recorded(PRESSURE), Limits())
        feed.seek(PRESSURE_AT_S)
        feed.toggle_pause()
    settings = Settings(memory=Memory(state_dir=Path("/home/you/.local/state/inferguard")))
    app = InferGuardApp(feed, theme=picture.theme, terminal=Terminal(), setup=Setup(settings=settings))
    async with app.run_test(size=picture.size) as pilot:
        for _ in range(20):
            await pilot.pause(0.1)
        await pilot.press(*picture.keys)
        for _ in range(5):
            await pilot.pause(0.1)
        return app.export_screenshot()


def main(names: list[str]) -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    for picture in PICTURES:
        if not names or picture.name in names:
            path = ROOT / "docs" / "pictures" / f"{picture.name}.svg"
            path.write_text(asyncio.run(drawn(picture)), "utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
