"""An SGLang that was started without --enable-metrics: what /v1/loads tells, and what it does not.

The answer is in the form that sglang 0.5.10 writes (srt/entrypoints/v1_loads.py), two data-parallel ranks.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.engines import EngineReader
from inferguard_core.poll import FailureKind, ProofLevel
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.sources import direct
from inferguard_core.sources.loads import ROUTE, page_of
from inferguard_core.watch import EndpointWatch
from tests.core.live_source import source_at
from tests.e2e.hostile import PAGE, by_path, listening, response

LOADS = """\
# HELP sglang_num_running_reqs Number of running requests
# TYPE sglang_num_running_reqs gauge
sglang_num_running_reqs{dp_rank="0"} 3
sglang_num_running_reqs{dp_rank="1"} 4
# HELP sglang_num_waiting_reqs Number of waiting requests
# TYPE sglang_num_waiting_reqs gauge
sglang_num_waiting_reqs{dp_rank="0"} 5
sglang_num_waiting_reqs{dp_rank="1"} 0
# HELP sglang_num_used_tokens Number of tokens in use
# TYPE sglang_num_used_tokens gauge
sglang_num_used_tokens{dp_rank="0"} 1500
sglang_num_used_tokens{dp_rank="1"} 750
# HELP sglang_max_total_num_tokens Maximum token capacity
# TYPE sglang_max_total_num_tokens gauge
sglang_max_total_num_tokens{dp_rank="0"} 3072
sglang_max_total_num_tokens{dp_rank="1"} 3072
# HELP sglang_token_usage Token pool usage ratio
# TYPE sglang_token_usage gauge
sglang_token_usage{dp_rank="0"} 0.4883
sglang_token_usage{dp_rank="1"} 0.2441
# HELP sglang_gen_throughput Generation throughput tokens/sec
# TYPE sglang_gen_throughput gauge
sglang_gen_throughput{dp_rank="0"} 0.0
sglang_gen_throughput{dp_rank="1"} 0.0
# HELP sglang_cache_hit_rate Prefix cache hit rate
# TYPE sglang_cache_hit_rate gauge
sglang_cache_hit_rate{dp_rank="0"} 0.0
sglang_cache_hit_rate{dp_rank="1"} 0.0
"""


def test_queue_and_pool_of_all_ranks_are_read_and_zeros_that_mean_nothing_are_not():
    page = page_of(LOADS)
    assert page is not None
    reading = EngineReader().read(page)
    assert reading.engine is Engine.SGLANG
    assert {k: v for k, v in reading.values.items() if k in set(Signal)} == {
        Signal.RUNNING: 7.0,
        Signal.WAITING: 5.0,
        Signal.KV_USED_TOKENS: 2250.0,
        Signal.KV_CAPACITY_TOKENS: 6144.0,
        Signal.KV_USAGE: 0.4883,
    }
    assert set(reading.ranks) == {"dp_rank=0", "dp_rank=1"}
    assert reading.doubts == ()


@pytest.mark.parametrize("text", ["", "<html>", '{"loads": []}', "vllm:num_requests_running 1\n"])
def test_what_is_no_load_is_no_page(text):
    assert page_of(text) is None


async def test_a_server_without_metrics_is_read_by_its_loads_and_the_flag_is_named():
    asked: list[str] = []
    async with listening(by_path({ROUTE: response(LOADS)}, asked)) as at, source_at(at) as source:
        first, second = await source.poll(), await source.poll()
    assert first.lacking == second.lacking == "--enable-metrics"
    # Facts are asked beside; what matters is that /metrics is not asked at every poll.
    assert [path for path in asked if path in ("/metrics", ROUTE)] == ["/metrics", ROUTE, ROUTE]
    watch = EndpointWatch("e", "e", 1.0, ProofLevel.LIVE, Limits())
    watch.observe(first)
    watch.observe(second)
    frame = endpoint_frame(watch, second.unix, 0.0)
    assert frame.engine is Engine.SGLANG
    assert any("--enable-metrics" in doubt for doubt in frame.doubts)
    blind = {b.rule: b.remedy for b in frame.blind}
    assert blind["ttft_high"] == blind["preemption"] == "start the server with --enable-metrics"
    assert "kv_high" not in blind
    assert not frame.anomalies


async def test_metrics_that_come_back_are_read_again(monkeypatch):
    monkeypatch.setattr(direct, "ASK_AGAIN_S", 0.0)
    pages = {ROUTE: response(LOADS)}
    async with listening(by_path(pages)) as at, source_at(at) as source:
        assert (await source.poll()).lacking
        pages["/metrics"] = response(PAGE)
        poll = await source.poll()
    assert (poll.lacking, poll.body) == ("", PAGE)


async def test_without_either_the_failure_is_that_of_metrics():
    async with listening(by_path({})) as at, source_at(at) as source:
        poll = await source.poll()
    assert poll.failure is not None
    assert poll.failure.status == 404
    assert "/metrics" in poll.failure.message
    assert "--enable-metrics" in poll.failure.message


async def test_a_server_that_dies_is_refused_and_not_read_by_what_it_said(monkeypatch):
    async with listening(by_path({ROUTE: response(LOADS)})) as at, source_at(at) as source:
        assert (await source.poll()).lacking
    async with source_at(at) as source:
        source._loads_until = float("inf")
        poll = await source.poll()
    assert poll.failure is not None
    assert poll.failure.kind is FailureKind.REFUSED


async def test_a_scan_finds_a_full_pool_and_a_growing_queue_by_loads_alone():
    """Over HTTP, by the command itself, on a server that has no /metrics at all."""
    looks = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal looks
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split()[1].decode()
            looks += path == ROUTE
            page = LOADS.replace('waiting_reqs{dp_rank="0"} 5', f'waiting_reqs{{dp_rank="0"}} {20 * looks}')
            page = page.replace("0.4883", "0.99").replace("0.2441", "0.98")
            writer.write(response(page) if path == ROUTE else response("", "404 Not Found"))
            await writer.drain()

    async with listening(answer) as at:
        command = [sys.executable, "-m", "inferguard_tui", "scan", at, "--json", "--samples", "8"]
        child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        out, _ = await child.communicate()
    found = json.loads(out)
    assert looks >= 8
    # Critical would take preemptions or late answers, and of those nothing is known here.
    assert child.returncode == 1
    assert (found["engine"], found["status"]) == ("sglang", "warning")
    assert {"kv_high", "queue_growth"} <= {a["kind"] for a in found["anomalies"]}
    assert "ttft_high" in json.dumps(found["blind"])
