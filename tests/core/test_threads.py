"""Threads that nobody waits for: calls that hang hold up neither other calls nor the end of the program."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from inferguard_core.threads import UnwaitedThreads, use_unwaited_threads

if TYPE_CHECKING:
    from pathlib import Path

HANGS = 20
ENDING = """
import asyncio, time
from inferguard_core.threads import use_unwaited_threads
async def main():
    use_unwaited_threads()
    hangs = [asyncio.ensure_future(asyncio.to_thread(time.sleep, 60)) for _ in range(3)]
    writes = asyncio.ensure_future(asyncio.to_thread(lambda: (time.sleep(0.3), open({path!r}, "w").write("whole"))))
    await asyncio.sleep(0.1)
asyncio.run(main())
"""
SESSION = """
import asyncio, socket, time
real, hung = socket.getaddrinfo, []
def asked(host, *a, **k):
    if "invalid" in str(host):
        hung.append(host)
        time.sleep(60)
    return real(host, *a, **k)
socket.getaddrinfo = asked
from inferguard_core.settings.loading import load
from inferguard_tui.session import LiveFeed, addresses
async def main():
    feed = LiveFeed(addresses(["127.0.0.1:1"]), load({}, None), interval_s=0.2)
    until = time.monotonic() + 15
    async for frame in feed.frames():
        if hung or time.monotonic() > until:
            break
    print("hung" if hung else "never asked", flush=True)
    await feed.close()
    print("closed", flush=True)
asyncio.run(main())
"""


async def test_calls_that_hang_leave_threads_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: free.wait(30) and [])
    use_unwaited_threads()
    loop = asyncio.get_running_loop()
    hung = [asyncio.ensure_future(loop.getaddrinfo("cloud.invalid", 443)) for _ in range(HANGS)]
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: 7) == 7
    assert not any(one.done() for one in hung)
    free.set()
    await asyncio.gather(*hung)


async def test_a_thread_is_used_again_and_an_error_is_the_callers() -> None:
    threads = UnwaitedThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    used: set[threading.Thread] = set()
    for _ in range(20):
        await asyncio.to_thread(lambda: used.add(threading.current_thread()))
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        await asyncio.sleep(0.005)
    # One, or some more where a thread is not yet free when the next call comes.
    assert len(used) <= 10


def test_more_calls_than_threads_are_all_done() -> None:
    threads = UnwaitedThreads(most=3)
    futures = [threads.submit(pow, n, 2) for n in range(200)]
    assert [f.result(5) for f in futures] == [n * n for n in range(200)]
    threads.shutdown()
    with pytest.raises(RuntimeError, match="ending"):
        threads.submit(pow, 1, 1)


def test_the_end_waits_for_a_write_and_not_for_what_hangs(tmp_path: Path) -> None:
    written = tmp_path / "written"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", ENDING.format(path=str(written))], check=True, timeout=50)
    assert time.monotonic() - began < 20
    assert written.read_text() == "whole"


def test_a_monitor_whose_clouds_hang_in_the_resolver_ends_when_told(tmp_path: Path) -> None:
    """A real session with Redis, Vector and a model set up, no name of which is ever resolved."""
    gone = "https://cloud.invalid"
    variables = {
        "XDG_STATE_HOME": str(tmp_path),
        "UPSTASH_REDIS_URL": gone,
        "UPSTASH_REDIS_TOKEN": "secret",
        "UPSTASH_VECTOR_URL": gone,
        "UPSTASH_VECTOR_TOKEN": "secret",
        "GMI_BASE_URL": gone,
        "GMI_API_KEY": "secret",
    }
    child = subprocess.run(
        [sys.executable, "-c", SESSION],
        env=os.environ | variables, stdout=subprocess.PIPE, text=True, check=True, timeout=50,
    )  # fmt: skip
    assert child.stdout.split() == ["hung", "closed"]
