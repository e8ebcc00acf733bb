"""A recording played as frames: position, speed, pause and seeking, on a real recording."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.frame import Frame, MeasureId, Status
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.recording import Recording
from inferguard_tui.replay_desk import RecordingDesk
from inferguard_tui.replay_feed import NO_MORE, ReplayFeed
from inferguard_tui.session import open_recording

FILE = Path(__file__).parents[1] / "fixtures" / "recordings" / "vllm-0.32-kv_pressure.jsonl.gz"


def recording() -> Recording:
    opened = open_recording(FILE)
    assert isinstance(opened, Recording)
    return opened


async def following(feed: ReplayFeed) -> Frame:
    return await asyncio.wait_for(anext(feed.frames()), 5)


async def test_it_starts_at_the_first_poll() -> None:
    frame = await following(ReplayFeed(recording(), Limits()))
    assert frame.replay is not None
    assert frame.replay.at_s == 0
    assert frame.endpoints[0].polls == 1
    assert frame.endpoints[0].proof is ProofLevel.RECORDED


async def test_seeking_forward_shows_what_was_known_then() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.seek(70)
    endpoint = (await following(feed)).endpoints[0]
    assert endpoint.status is Status.CRITICAL
    assert endpoint.incident is not None


async def test_seeking_back_forgets_what_came_later() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.seek(70)
    await following(feed)
    feed.seek(20)
    endpoint = (await following(feed)).endpoints[0]
    assert endpoint.status is Status.OK
    assert endpoint.incidents == ()


async def test_seeking_there_and_back_shows_the_same_frame() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.seek(60)
    first = (await following(feed)).endpoints[0]
    feed.seek(10)
    await following(feed)
    feed.seek(60)
    assert (await following(feed)).endpoints[0] == first


async def test_it_ends_at_the_end_and_plays_again_from_the_start() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.seek(1e9)
    frame = await following(feed)
    assert frame.replay is not None
    assert frame.replay.ended
    assert frame.replay.at_s == frame.replay.length_s
    feed.toggle_pause()
    again = await following(feed)
    assert again.replay is not None
    assert not again.replay.ended
    assert again.replay.at_s < 1


async def test_playing_moves_by_speed_and_pausing_stops_it() -> None:
    feed = ReplayFeed(recording(), Limits(), speed=16)
    positions: list[float] = []
    held = asyncio.Event()

    async def play() -> None:
        async for frame in feed.frames():
            assert frame.replay is not None
            positions.append(frame.replay.at_s)
            if frame.replay.paused:
                held.set()
            elif frame.replay.at_s > 10:
                feed.toggle_pause()

    task = asyncio.create_task(play())
    await asyncio.wait_for(held.wait(), 8)  # at the speed of the recording it takes ten
    at = positions[-1]
    await asyncio.sleep(0.5)
    assert positions[-1] == at
    assert positions == sorted(positions)
    await feed.close()
    await asyncio.wait_for(task, 3)


async def test_numbers_carry_the_recordings_time_and_not_ours() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.seek(30)
    frame = await following(feed)
    assert frame.unix == recording().polls[0].unix + 30
    endpoint = frame.endpoints[0]
    assert endpoint.age_s is not None
    assert endpoint.age_s < 4
    assert endpoint.measures[MeasureId.KV_USAGE].value is not None


async def test_seeking_the_next_incident_stands_where_it_opens() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.toggle_pause()
    feed.seek_incident(1)
    frame = await following(feed)
    assert frame.replay is not None
    incident = frame.endpoints[0].incident
    assert incident is not None
    assert incident.opened_unix == pytest.approx(frame.unix, abs=0.01)
    assert frame.replay.marks == (frame.replay.at_s,)


async def test_without_a_next_incident_it_stays_and_says_so() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.toggle_pause()
    stands = []
    for _ in range(12):
        feed.seek_incident(1)
        frame = await following(feed)
        assert frame.replay is not None
        if frame.replay.note:
            break
        stands.append((frame.replay.at_s, frame.endpoints))
    assert frame.replay.note == NO_MORE
    assert not frame.replay.ended
    assert [at for at, _ in stands] == list(frame.replay.marks), "each incident once, in order"
    assert (frame.replay.at_s, frame.endpoints) == stands[-1], "what is shown is where it stood"
    feed.skip(1)
    moved = (await following(feed)).replay
    assert moved is not None
    assert moved.note == "", "it is said until the next key"


async def test_seeking_the_incident_before_goes_back_to_where_it_opened_and_then_to_the_start() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.toggle_pause()
    feed.seek_incident(1)
    opened = (await following(feed)).replay
    assert opened is not None
    feed.seek(opened.at_s + 20)
    await following(feed)
    feed.seek_incident(-1)
    back = await following(feed)
    assert back.replay is not None
    assert back.replay.at_s == opened.at_s
    feed.seek_incident(-1)
    start = (await following(feed)).replay
    assert start is not None
    assert start.at_s == 0
    assert start.marks == opened.marks, "where incidents are is not forgotten"


async def test_a_seek_stops_the_search_for_an_incident() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.seek_incident(1)
    feed.seek(5)
    frame = await following(feed)
    assert frame.replay is not None
    assert frame.replay.at_s == 5


async def test_stepping_moves_by_one_poll_and_stands_still() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.seek(30)
    polls = (await following(feed)).endpoints[0].polls
    for by, count in ((1, polls + 1), (1, polls + 2), (-1, polls + 1), (-1, polls)):
        feed.step(by)
        frame = await following(feed)
        assert frame.replay is not None
        assert frame.replay.paused
        assert frame.endpoints[0].polls == count


async def test_stepping_stops_at_both_ends() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.step(-5)
    assert (await following(feed)).endpoints[0].polls == 1
    feed.seek(1e9)
    last = (await following(feed)).endpoints[0].polls
    feed.step(1)
    assert (await following(feed)).endpoints[0].polls == last


async def test_a_recording_hands_an_incident_over_and_answers_nothing_else(tmp_path: Path) -> None:
    desk = RecordingDesk(recording(), tmp_path)
    told = await desk.export("http://x", "gpu/1", "# page\n")
    assert str(tmp_path / "exports" / "gpu-1.md") in told
    again = open_recording(tmp_path / "exports" / "gpu-1.jsonl.gz")
    assert isinstance(again, Recording)
    assert [p.body for p in again.polls] == [p.body for p in recording().polls]
    answers = (
        desk.acknowledge("i", "kim"),
        desk.note("i", "kim", "x"),
        desk.snooze("i", "kim", 60),
        desk.investigate("e"),
        await desk.recall(""),
        await desk.dry_run("a", "kim"),
        await desk.dispatch("a", "kim", "x"),
        await desk.closed_frame("i"),
    )
    assert all(isinstance(said, str) and said.startswith("this is a recording") for said in answers)


async def test_skips_in_a_row_add_up_before_a_frame_shows_the_first() -> None:
    feed = ReplayFeed(recording(), Limits())
    feed.toggle_pause()
    for _ in range(5):
        feed.skip(10)
    feed.skip(-5)
    frame = await following(feed)
    assert frame.replay is not None
    assert frame.replay.at_s == 45
    feed.skip(-1000)
    frame = await following(feed)
    assert frame.replay is not None
    assert frame.replay.at_s == 0
