"""Many endpoints at once, most of them broken: each says so in its own line, and the good one notices nothing."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from inferguard_core.poll import FailureKind, Poll
from inferguard_core.sources.access import Access
from inferguard_core.sources.address import Address
from inferguard_core.sources.client import open_client
from inferguard_core.sources.direct import DirectSource
from tests.e2e import hostile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DEADLINE_S = 1.0
INTERVAL_S = 0.05
SLACK_S = 2.0
"""For a busy machine; a hung endpoint without a deadline would not return at all."""

EXPECTED = {
    "hung": (FailureKind.TIMED_OUT, "no answer within 1 s"),
    "dripping": (FailureKind.TIMED_OUT, "of the page came within 1 s"),
    "huge": (FailureKind.TOO_LARGE, "larger than 1048576 bytes"),
    "bomb": (FailureKind.TOO_LARGE, "larger than 1048576 bytes"),
    "html": (FailureKind.NOT_METRICS, "an HTML page"),
    "redirecting": (FailureKind.REDIRECTED, "redirects are not followed"),
    "expired": (FailureKind.TLS, "its certificate has expired"),
    "cut": (FailureKind.DISCONNECTED, "closed the connection after"),
    "failing": (FailureKind.HTTP_ERROR, "HTTP 500"),
}


@pytest.fixture
async def polled(tmp_path: Path) -> AsyncIterator[dict[str, DirectSource]]:
    """A source for each hostile server, and `good` and `alone` for healthy ones; one client for all."""
    authority = hostile.Authority(tmp_path)
    answers = {
        "hung": hostile.hung,
        "dripping": hostile.dripping,
        "huge": hostile.huge(),
        "bomb": hostile.bomb(),
        "html": hostile.html,
        "redirecting": hostile.redirecting,
        "expired": hostile.good,
        "cut": hostile.cut,
        "failing": hostile.failing,
        "good": hostile.good,
        "alone": hostile.good,
    }
    access = Access(ca=authority.file, timeout_s=DEADLINE_S, max_body_bytes=2**20)
    async with AsyncExitStack() as stack:
        client = open_client(access)
        assert isinstance(client, httpx.AsyncClient)
        await stack.enter_async_context(client)
        sources = {}
        for name, answer in answers.items():
            tls = authority.context(valid_days=(-20, -10)) if name == "expired" else None
            at = await stack.enter_async_context(hostile.listening(answer, tls=tls))
            address = Address(f"{'https' if tls else 'http'}://{at}", at)
            sources[name] = DirectSource(address, access, client=client)
            stack.push_async_callback(sources[name].close)
        yield sources


async def _until(source: DirectSource, stop: asyncio.Event) -> list[Poll]:
    polls = []
    while not stop.is_set():
        polls.append(await source.poll())
        await asyncio.sleep(INTERVAL_S)
    return polls


async def _times(source: DirectSource, count: int) -> list[tuple[Poll, float]]:
    polls = []
    for _ in range(count):
        begin = time.monotonic()
        polls.append((await source.poll(), time.monotonic() - begin))
    return polls


async def test_each_bad_endpoint_says_its_own_line_and_the_good_one_keeps_its_rhythm(
    polled: dict[str, DirectSource],
) -> None:
    stop = asyncio.Event()
    good = asyncio.create_task(_until(polled["good"], stop))
    results = dict(
        zip(EXPECTED, await asyncio.gather(*(_times(polled[name], 2) for name in EXPECTED)), strict=True)
    )
    stop.set()
    beside_trouble = await good

    for name, (kind, words) in EXPECTED.items():
        for poll, seconds in results[name]:
            assert poll.failure, name
            assert (name, poll.failure.kind) == (name, kind), poll.failure.message
            assert words in poll.failure.message
            assert "\n" not in poll.failure.message
            assert seconds < DEADLINE_S + SLACK_S, name

    # The bad ones took at least two deadlines; the same time alone gives the count to compare with.
    quiet = asyncio.Event()
    alone = asyncio.create_task(_until(polled["alone"], quiet))
    await asyncio.sleep(2 * DEADLINE_S)
    quiet.set()
    assert [poll.failure for poll in beside_trouble] == [None] * len(beside_trouble)
    assert len(beside_trouble) >= len(await alone) / 3
