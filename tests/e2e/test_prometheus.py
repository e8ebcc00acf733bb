"""A fleet behind a real Prometheus server that scrapes simulated engines."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from inferguard_core.engines import EngineReader
from inferguard_core.frame import MeasureId, Status
from inferguard_core.monitor import Monitor
from inferguard_core.reading import Engine
from inferguard_core.settings import Settings
from inferguard_core.signals import Signal
from inferguard_core.sources.prometheus import fleet as fleet_module
from inferguard_core.sources.recording import RecordingFile
from inferguard_core.watch import TRENDS
from inferguard_tui.connection import connect
from inferguard_tui.scan import _Kept
from inferguard_tui.session import LiveFeed, access, addresses
from inferguard_tui.simulator.launch import launched
from tests.e2e.installed import free_port, prometheus, scraping, write_targets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INFERGUARD = [sys.executable, "-m", "inferguard_tui"]


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*INFERGUARD, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **variables},
    )


class Site:
    """Engines and the server that scrapes them once a second."""

    def __init__(self, server: str, overloaded: str, healthy: str, sglang: str) -> None:
        self.url = f"prometheus+http://{server}"
        self.overloaded, self.healthy, self.sglang = (
            u.removeprefix("http://") for u in (overloaded, healthy, sglang)
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    where = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        vllm = stack.enter_context(launched("recovery,healthy", "vllm", 2, 1))
        (sglang,) = stack.enter_context(launched("healthy", "sglang", 1, 1))
        write_targets(where / "sd.json", [*vllm, sglang], cluster="north")
        # An exporter that is no engine: the server itself.
        port = free_port()
        config = scraping(where / "sd.json") + (
            f"- job_name: self\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
        )
        server = stack.enter_context(prometheus(where / "server", config, port=port))
        time.sleep(12)
        yield Site(server, *vllm, sglang)


class TestScan:
    def test_every_engine_is_seen_at_once_and_nothing_else_is(self, site: Site) -> None:
        done = run("scan", site.url, "--samples", "8", "--json")
        found = {one["endpoint"]: one for one in json.loads(done.stdout)}
        assert done.returncode == 2, done.stderr
        assert set(found) == {
            f'{site.url}?match={{cluster="north",job="engines",instance="{at}"}}'
            for at in (site.overloaded, site.healthy, site.sglang)
        }
        by_name = {key.rpartition("instance=")[2].strip('"}'): one for key, one in found.items()}
        assert by_name[site.overloaded]["engine"] == "vllm"
        assert by_name[site.sglang]["engine"] == "sglang"
        assert by_name[site.healthy]["status"] in ("ok", "notice")
        assert by_name[site.sglang]["status"] in ("ok", "notice")
        assert by_name[site.overloaded]["status"] == "critical"
        assert {a["kind"] for a in by_name[site.overloaded]["anomalies"]} & {"queue_growth", "preemption"}
        assert by_name[site.overloaded]["diagnosis"]["cause"] in ("kv_exhausted", "long_contexts")

    def test_it_reads_what_a_scan_of_the_engine_itself_reads(self, site: Site) -> None:
        through = json.loads(
            run("scan", f"{site.url}?instance={site.healthy}", "--samples", "15", "--json").stdout
        )
        direct = json.loads(run("scan", site.healthy, "--json").stdout)
        known = {name for name, value in direct["signals"].items() if value is not None}
        assert known <= {name for name, value in through["signals"].items() if value is not None}
        for name in known:
            assert through["signals"][name]["unit"] == direct["signals"][name]["unit"]
            assert through["signals"][name]["source"] == direct["signals"][name]["source"]
        assert through["doubts"] == direct["doubts"] == []
        assert {b["rule"] for b in through["blind"]} == {b["rule"] for b in direct["blind"]}
        assert through["models"] == direct["models"]

    def test_an_endpoint_as_printed_can_be_asked_for_alone(self, site: Site) -> None:
        key = f'{site.url}?match={{cluster="north",job="engines",instance="{site.sglang}"}}'
        assert json.loads(run("scan", key, "--json").stdout)["endpoint"] == key

    @pytest.mark.parametrize(
        ("suffix", "said"),
        [
            ("?job=nowhere", "no vLLM or SGLang series"),
            ("/wrong/prefix", "path prefix"),
            ('?match={instance=~"("}', "refuses the query"),
        ],
    )
    def test_a_server_that_cannot_say_is_unknown_with_a_reason(
        self, site: Site, suffix: str, said: str
    ) -> None:
        done = run("scan", site.url + suffix)
        assert done.returncode == 3
        assert said in done.stdout

    def test_a_server_that_is_not_there_is_unknown(self) -> None:
        done = run("scan", f"prometheus+http://127.0.0.1:{free_port()}", "--json")
        assert done.returncode == 3
        assert json.loads(done.stdout)["error"]["kind"] == "Refused"


def test_watch_reports_the_engine_in_trouble_and_only_that(site: Site) -> None:
    done = run("watch", site.url, "--interval", "1", "--duration", "6", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    warned = {
        e["endpoint"] for e in lines if e["event"] == "anomaly" and e["severity"] in ("warning", "critical")
    }
    assert {key.rpartition("instance=")[2].strip('"}') for key in warned} == {site.overloaded}


async def test_the_first_frames_hold_the_past(site: Site) -> None:
    feed = LiveFeed(found(site.url), Settings(), interval_s=1)
    try:
        async with asyncio.timeout(15):
            async for frame in feed.frames():
                if len(frame.endpoints) == 3 and all(e.polls > 8 for e in frame.endpoints):
                    break
        for endpoint in frame.endpoints:
            known = [v for v in endpoint.trends[MeasureId.KV_USAGE].values if v is not None]
            assert len(known) >= 8
            assert endpoint.measures[MeasureId.GENERATION_RATE].value
        assert {p.part for p in frame.parts} >= {site.url.rpartition("//")[2]}
    finally:
        await feed.close()


async def test_the_hours_before_are_what_the_servers_arithmetic_gives(site: Site) -> None:
    connection = connect(found(site.url), access(Settings()), interval_s=1.0)
    (fleet,) = connection.fleets
    kept = Recalled()
    try:
        assert await fleet.warm_up(kept) is None
        await fleet._recall(kept)
    finally:
        await connection.close()
    assert set(kept.past) == set(kept.polls)
    for endpoint, past in kept.past.items():
        newest = kept.polls[endpoint][-1]
        read = EngineReader().read(newest.body)
        # SGLang has no series of retractions before the first one, so the server can give none.
        counted = "preempt" in newest.body or "retract" in newest.body
        assert set(past) == set(TRENDS) - (set() if counted else {MeasureId.PREEMPTION_RATE})
        assert counted or read.engine is Engine.SGLANG
        lifetime = read.values[Signal.PREFIX_HITS] / read.values[Signal.PREFIX_QUERIES]
        assert past[MeasureId.PREFIX_HIT_RATE][-1][1] == pytest.approx(lifetime, abs=0.15)
        if read.values[Signal.PREEMPTIONS]:
            assert past[MeasureId.PREEMPTION_RATE][-1][1] > 0
        at, kv = past[MeasureId.KV_USAGE][-1]
        assert abs(at - time.time()) < 10
        assert kv == pytest.approx(read.values[Signal.KV_USAGE], abs=0.2)
        assert past[MeasureId.RUNNING][-1][1] == pytest.approx(read.values[Signal.RUNNING], abs=40)
        assert past[MeasureId.GENERATION_RATE][-1][1] > 0
        assert past[MeasureId.TTFT_P95][-1][1] > 0


class Recalled(_Kept):
    def __init__(self) -> None:
        super().__init__()
        self.past: dict = {}

    def recall(self, endpoint, past) -> None:
        self.past[endpoint] = past


def found(url: str) -> tuple:
    named = addresses([url])
    assert isinstance(named, tuple)
    return named


async def seen(monitor: Monitor, what, seconds: float = 20.0) -> None:
    """Wait until the monitor's frame satisfies `what`."""
    async with asyncio.timeout(seconds):
        while not what(monitor.frame()):
            await asyncio.sleep(0.1)


async def test_engines_come_die_and_leave_and_the_server_goes(tmp_path: Path, monkeypatch) -> None:
    """One life of a fleet: a second engine joins, dies, is taken off the list; at last the server stops."""
    monkeypatch.setattr(fleet_module, "LEFT_AFTER_S", 4.0)
    monkeypatch.setattr(fleet_module, "LOOK_EVERY_S", 1.0)
    targets = tmp_path / "sd.json"
    with ExitStack() as stack, ExitStack() as second:
        (one,) = stack.enter_context(launched("healthy", "vllm", 1, 1))
        (two,) = second.enter_context(launched("healthy", "sglang", 1, 2))
        write_targets(targets, [one])
        server = ExitStack()
        at = stack.enter_context(server).enter_context(prometheus(tmp_path / "server", scraping(targets)))
        connection = connect(found(f"prometheus+http://{at}"), access(Settings()), interval_s=1.0)
        monitor = Monitor((), 1.0, Settings().limits, fleets=connection.fleets)
        monitor.start()
        try:
            await seen(monitor, lambda f: len(f.endpoints) == 1 and f.endpoints[0].status is Status.OK)

            write_targets(targets, [one, two])
            await seen(monitor, lambda f: len(f.endpoints) == 2 and f.endpoints[1].status is Status.OK)
            assert monitor.frame().endpoints[1].name == two.removeprefix("http://")

            second.close()
            await seen(monitor, lambda f: f.endpoints[1].status is Status.NO_DATA)
            dead = monitor.frame().endpoints[1]
            assert dead.failure is not None
            assert "cannot scrape" in dead.failure.message
            assert [a.kind for a in dead.anomalies] == ["endpoint_down"]

            write_targets(targets, [one])
            await seen(monitor, lambda f: len(f.endpoints) == 1)

            await asyncio.to_thread(server.close)
            await seen(monitor, lambda f: f.endpoints[0].status is Status.STALE)
            frame = monitor.frame()
            assert not frame.endpoints[0].anomalies, "the server's failure says nothing about an engine"
            (part,) = (p for p in frame.parts if p.part == at)
            assert part.state == "no answer"
            assert at in part.detail
        finally:
            await monitor.close()
            await connection.close()


class TestRecord:
    def test_each_engine_has_a_recording_that_begins_in_the_past(self, site: Site, tmp_path: Path) -> None:
        out = tmp_path / "night.jsonl.gz"
        began = time.time()
        done = run("record", site.url, "-o", str(out), "--duration", "3")
        assert done.returncode == 0, done.stderr
        files = sorted(tmp_path.glob("*.jsonl.gz"))
        names = (site.overloaded, site.healthy, site.sglang)
        assert [f.name for f in files] == sorted(f"night-{n.replace(':', '-')}.jsonl.gz" for n in names)
        pressed = next(f for f in files if site.overloaded.replace(":", "-") in f.name)
        recording = RecordingFile.open(pressed)
        assert isinstance(recording, RecordingFile)
        loaded = recording.load()
        assert loaded.header.endpoint.startswith(site.url)
        assert loaded.polls[0].unix < began - 5
        assert loaded.polls[-1].unix > began
        steps = [b.t - a.t for a, b in pairwise(loaded.polls)]
        assert all(0.5 < step < 3.0 for step in steps), steps
        played = [json.loads(line) for line in run("replay", str(pressed), "--json").stdout.splitlines()]
        assert "kv_high" in {e["kind"] for e in played if e["event"] == "anomaly"}
        again = run("record", site.url, "-o", str(out), "--duration", "3")
        assert again.returncode == 3
        assert "exists" in again.stderr


class TestDoctor:
    def test_every_engine_behind_the_server_has_its_card(self, site: Site, tmp_path: Path) -> None:
        done = run("doctor", site.url, "--json", INFERGUARD_STATE_DIR=str(tmp_path))
        cards = [c for c in json.loads(done.stdout)["checks"] if c["part"] == "endpoint"]
        assert {card["facts"]["engine"] for card in cards} == {"vllm", "sglang"}
        assert len(cards) == 3
        assert all("kv_usage" in card["facts"]["read"] for card in cards)


class TestValidate:
    def test_load_is_not_sent_to_a_metrics_server(self, site: Site) -> None:
        done = run("validate", site.url, "x.json")
        assert (done.returncode, done.stdout) == (3, "")
        assert "not to a metrics server" in done.stderr
