"""The hours before, from a real Prometheus whose history is written for it: what it must answer is worked out by hand."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from inferguard_core.frame import MeasureId
from inferguard_core.settings import Settings
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.client import open_client
from inferguard_core.sources.prometheus.pages import IDENTITY
from inferguard_core.sources.prometheus.past import past
from inferguard_core.sources.prometheus.server import PrometheusServer
from inferguard_tui.session import access
from tests.e2e.installed import program, prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_core.sources.prometheus.past import Points

HOURS = 2.0
STEP_S = 15
IDLE_S = 1800
"""The vLLM engine has been given nothing for the last half hour."""
TIERS = {"device": 30.0, "host": 10.0}
"""Cached tokens a second by the tier they were found in."""
PROMPT_RATE, LOOKUP_RATE, HIT_RATE, PREEMPTED_RATE = 100.0, 200.0, 150.0, 0.5


def history(now: int) -> str:
    """OpenMetrics: an SGLang engine of two cache tiers and a vLLM engine, counting steadily until `now`."""
    begin = now - int(HOURS * 3600)
    stamps = range(begin, now, STEP_S)
    sglang, vllm = 'instance="sglang:30000",job="engines"', 'instance="vllm:8000",job="engines"'
    counters = {
        "sglang:cached_tokens": {
            f'{sglang},cache_source="{tier}"': (rate, now) for tier, rate in TIERS.items()
        },
        "sglang:prompt_tokens": {sglang: (PROMPT_RATE, now)},
        "vllm:prefix_cache_queries": {vllm: (LOOKUP_RATE, now - IDLE_S)},
        "vllm:prefix_cache_hits": {vllm: (HIT_RATE, now - IDLE_S)},
        "vllm:num_preemptions": {vllm: (PREEMPTED_RATE, now - IDLE_S)},
    }
    lines = []
    for name, series in counters.items():
        lines.append(f"# TYPE {name} counter")
        for labels, (rate, until) in series.items():
            lines += [f"{name}_total{{{labels}}} {rate * (min(at, until) - begin)} {at}" for at in stamps]
    return "\n".join((*lines, "# EOF", ""))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Its address, and until when it knows something."""
    where, now = tmp_path_factory.mktemp("past"), int(time.time())
    (where / "history").write_text(history(now))
    promtool = program("promtool", "prometheus")
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", where / "history", where / "data"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    with prometheus(where, "global: {}\n", "--storage.tsdb.retention.time=1d") as at:
        yield at, now


async def recalled(server: tuple[str, int]) -> dict[str, dict[MeasureId, Points]]:
    address = parse_address(f"prometheus+http://{server[0]}")
    assert isinstance(address, Address)
    client = open_client(access(Settings()))
    assert isinstance(client, httpx.AsyncClient)
    async with client:
        asked = PrometheusServer(address, access(Settings()), client)
        found = await past(asked, (), float(server[1]), float(STEP_S))
    assert isinstance(found, dict), found
    return {key[IDENTITY.index("instance")]: measures for key, measures in found.items()}


def within(points: Points, server: tuple[str, int], since_s: float, until_s: float) -> list[float | None]:
    """Values of the stretch that began and ended so long before the end; a window's length apart from its borders."""
    return [value for at, value in points if since_s >= server[1] - at >= until_s]


async def test_hits_of_all_cache_tiers_add_up(server: tuple[str, int]) -> None:
    found = (await recalled(server))["sglang:30000"]
    rates = within(found[MeasureId.PREFIX_HIT_RATE], server, 6000, 60)
    assert len(rates) > 90
    assert rates == pytest.approx([sum(TIERS.values()) / PROMPT_RATE] * len(rates), rel=1e-6)


async def test_an_engine_that_nothing_was_asked_of_has_no_hit_rate_and_no_preemption(
    server: tuple[str, int],
) -> None:
    found = (await recalled(server))["vllm:8000"]
    busy = within(found[MeasureId.PREFIX_HIT_RATE], server, 6000, IDLE_S + 120)
    assert busy == pytest.approx([HIT_RATE / LOOKUP_RATE] * len(busy), rel=1e-6)
    assert len(busy) > 60
    idle = within(found[MeasureId.PREFIX_HIT_RATE], server, IDLE_S - 120, 60)
    assert len(idle) > 20
    assert set(idle) == {None}
    preempted = within(found[MeasureId.PREEMPTION_RATE], server, 6000, IDLE_S + 120)
    assert preempted == pytest.approx([PREEMPTED_RATE] * len(preempted), rel=1e-6)
    assert set(within(found[MeasureId.PREEMPTION_RATE], server, IDLE_S - 120, 60)) == {0.0}
