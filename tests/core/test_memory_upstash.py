"""The shared memory through the vendors' own clients: nothing lost, nothing twice, whatever the cloud does."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.memory.case import Case
from inferguard_core.memory.codec import decode
from inferguard_core.memory.protocol import Query
from inferguard_core.memory.records import Audited, ReadingRow, Taught, Told
from inferguard_core.memory.sqlite import SqliteMemory
from inferguard_core.memory.upstash import link, sending
from inferguard_core.memory.upstash.sending import RedisSender, VectorSender
from inferguard_core.memory.upstash.shared import SharedMemory
from tests.core.memory_cases import KV, STALL, T0, URL, case
from tests.core.upstash_stand_in import RedisStandIn, VectorStandIn
from tests.e2e.installed import program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps in tenths of seconds."""
    monkeypatch.setattr(link, "PAUSE_S", 0.2)
    monkeypatch.setattr(link, "PAUSE_MAX_S", 0.4)
    monkeypatch.setattr(sending, "SEND_S", 1.5)
    monkeypatch.setattr(sending, "ASK_S", 0.5)
    monkeypatch.setattr(sending, "GATHER_S", 0.1)
    monkeypatch.setattr(sending, "LOOK_EVERY_S", 0.3)
    monkeypatch.setattr(sending, "STATE_EVERY_S", 0.1)


@pytest.fixture
def redis_port(tmp_path: Path, free_tcp_port: int) -> Iterator[int]:
    arguments = [
        program("redis-server", "redis-server"),
        "--port",
        str(free_tcp_port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield free_tcp_port
    process.terminate()
    process.wait(10)


@pytest.fixture
def free_tcp_port() -> int:
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture
async def redis(redis_port: int) -> AsyncIterator[RedisStandIn]:
    server = RedisStandIn(redis_port)
    await server.start()
    for _ in range(100):
        try:
            await server.command("PING")
            break
        except OSError:
            await asyncio.sleep(0.05)
    yield server
    await server.stop()


@pytest.fixture
async def vector() -> AsyncIterator[VectorStandIn]:
    server = VectorStandIn()
    await server.start()
    yield server
    await server.stop()


def shared(path: Path, redis: RedisStandIn | None, vector: VectorStandIn | None = None) -> SharedMemory:
    targets = tuple(name for name, server in (("redis", redis), ("vector", vector)) if server is not None)
    local = SqliteMemory(path, shared=targets)
    return SharedMemory(
        local,
        RedisSender(local, redis.url, "secret") if redis is not None else None,
        VectorSender(local, vector.url, "secret") if vector is not None else None,
    )


def states(memory: SharedMemory) -> dict[str, str]:
    return {part.part: part.state for part in memory.health}


async def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come true in time")


async def arrived(redis: RedisStandIn, events: int) -> Counter[int]:
    """How often each event is in the stream, once `events` different ones are."""
    told: Counter[int] = Counter()
    for _ in range(300):
        rows = await redis.command("XRANGE", f"inferguard:events:{URL}", "-", "+")
        told = Counter(json.loads(fields[3])["n"] for _, fields in rows)
        if len(told) == events:
            break
        await asyncio.sleep(0.05)
    return told


async def test_what_one_host_saw_is_there_for_another(tmp_path: Path, redis: RedisStandIn) -> None:
    one = shared(tmp_path / "one.db", redis)
    await one.start()
    one.put(case())
    one.put(Taught(URL, T0, {"baselines": {}}))
    one.put(Told(URL, T0, {"n": 1}))
    one.put(Audited(T0, {"who": "kim"}))
    one.put(ReadingRow(URL, T0, {"kv_usage": 0.5}))
    assert await arrived(redis, 1) == {1: 1}
    await until(lambda: states(one) == {"memory": "ok", "redis": "ok"})
    state = json.loads(await redis.command("GET", f"inferguard:state:{URL}"))
    assert state == {"unix": T0, "values": {"kv_usage": 0.5}}
    assert len(await redis.command("XRANGE", "inferguard:audit", "-", "+")) == 1
    assert decode(Case, json.loads(await redis.command("GET", f"inferguard:case:{case().id}"))) == case()
    await one.close()

    other = shared(tmp_path / "other.db", redis)
    await other.start()
    assert await other.cases(URL) == (case(),)
    assert await other.learned(URL) == {"baselines": {}}
    assert await other.cases("http://elsewhere") == ()
    await other.close()


def fault(name: str, server: Any) -> None:
    faults = server.faults
    if name == "latency":
        faults.latency_s = 30.0
    elif name == "429":
        faults.error = "ERR max requests limit exceeded. Limit: 500000"
    elif name == "502":
        faults.status = 502
    elif name == "cut":
        faults.cut = True
    elif name == "token":
        server.token = "another"


@pytest.mark.parametrize("name", ["latency", "429", "502", "cut", "token"])
async def test_whatever_the_cloud_does_nothing_is_lost_and_nothing_comes_twice(
    tmp_path: Path, redis: RedisStandIn, name: str
) -> None:
    memory = shared(tmp_path / "state.db", redis)
    await memory.start()
    memory.put(Told(URL, T0, {"n": 0}))
    assert await arrived(redis, 1) == {0: 1}
    fault(name, redis)
    for n in range(1, 121):
        memory.put(Told(URL, T0 + n, {"n": n}))
    memory.put(case())
    await until(lambda: states(memory)["redis"] == "down")
    down = next(part for part in memory.health if part.part == "redis")
    assert down.since_unix is not None
    assert "secret" not in down.detail
    assert states(memory)["memory"] == "ok"
    for _ in range(100):
        if await memory.case(case().id) is not None:
            break
        await asyncio.sleep(0.05)
    assert await memory.case(case().id) == case()
    redis.faults.__init__()
    redis.token = "secret"
    assert await arrived(redis, 121) == dict.fromkeys(range(121), 1)
    await until(lambda: states(memory) == {"memory": "ok", "redis": "ok"})
    assert (
        json.loads(await redis.command("GET", f"inferguard:case:{case().id}"))["incident"]["id"] == case().id
    )
    await memory.close()


async def test_what_could_not_be_sent_is_sent_by_the_next_run(tmp_path: Path, redis: RedisStandIn) -> None:
    await redis.stop()
    memory = shared(tmp_path / "state.db", redis)
    await memory.start()
    for n in range(60):
        memory.put(Told(URL, T0 + n, {"n": n}))
    await until(lambda: states(memory)["redis"] == "down")
    await memory.close()
    await redis.start()
    again = shared(tmp_path / "state.db", redis)
    await again.start()
    assert await arrived(redis, 60) == dict.fromkeys(range(60), 1)
    await again.close()


async def test_two_processes_on_one_file_tell_each_thing_once(tmp_path: Path, redis: RedisStandIn) -> None:
    both = [shared(tmp_path / "state.db", redis) for _ in range(2)]
    for memory in both:
        await memory.start()
    for n in range(100):
        both[n % 2].put(Told(URL, T0 + n, {"n": n}))
    assert await arrived(redis, 100) == dict.fromkeys(range(100), 1)
    await asyncio.sleep(0.5)
    assert await arrived(redis, 100) == dict.fromkeys(range(100), 1)
    for memory in both:
        await memory.close()


async def test_an_entry_that_is_refused_does_not_hold_up_the_others(
    tmp_path: Path, redis: RedisStandIn
) -> None:
    await redis.command("SET", "inferguard:cases:http://gpu-07:8000", "no sorted set")
    memory = shared(tmp_path / "state.db", redis)
    await memory.start()
    memory.put(case())
    for n in range(10):
        memory.put(Told(URL, T0 + n, {"n": n}))
    assert await arrived(redis, 10) == dict.fromkeys(range(10), 1)
    await until(
        lambda: next(p for p in memory.health if p.part == "redis").detail.startswith(
            "UpstashError: WRONGTYPE"
        )
    )
    await redis.command("DEL", "inferguard:cases:http://gpu-07:8000")
    await until(lambda: states(memory)["redis"] == "ok")
    assert await redis.command("ZCARD", "inferguard:cases:http://gpu-07:8000") == 1
    await memory.close()


async def test_the_index_takes_the_words_part_of_recall_and_the_local_store_when_it_is_away(
    tmp_path: Path, redis: RedisStandIn, vector: VectorStandIn
) -> None:
    seen_elsewhere = shared(tmp_path / "one.db", redis, vector)
    await seen_elsewhere.start()
    seen_elsewhere.put(case("kv", T0, KV))
    seen_elsewhere.put(case("hang", T0 + 1e4, STALL))
    await until(lambda: len(vector.rows.get("inferguard", {})) == 2)
    await until(lambda: states(seen_elsewhere) == {"memory": "ok", "redis": "ok", "vector": "ok"})
    row, _ = vector.rows["inferguard"]["gpu-07:8000/kv"]
    assert row["metadata"] == {"endpoint": URL, "cause": "kv_exhausted", "opened_unix": T0}

    here = shared(tmp_path / "two.db", redis, vector)
    await here.start()
    await asyncio.sleep(0.2)
    found = await here.recall(Query("engine_stalled stall"))
    assert found[0].incident_id == "gpu-07:8000/hang"
    asked = vector.faults.requests
    vector.faults.latency_s = 30.0
    began = asyncio.get_running_loop().time()
    again = await here.recall(Query("engine_stalled stall"))
    assert asyncio.get_running_loop().time() - began < 1.5
    assert again[0].incident_id == "gpu-07:8000/hang"
    assert vector.faults.requests > asked
    assert states(here)["vector"] == "down"
    for memory in (seen_elsewhere, here):
        await memory.close()
