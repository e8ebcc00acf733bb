"""The brain over HTTP, asked by a real client; and the command that serves it, as a process."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from inferguard_brain.service import BODY_BYTES, Service, refusal, serve
from inferguard_core.secret import SecretStr
from inferguard_tui.brain_remote import RemoteMind
from tests.brain.contexts import context
from tests.brain.incident import incident
from tests.brain.openai_server import answering, serving, slow
from tests.brain.test_llm import GOOD, reasoner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

RAMP = context(kv_usage=lambda t: 0.8 + t / 600)
TOKEN = "a-token-of-ours"


@pytest.fixture
async def start() -> AsyncIterator[Callable[[Service], Any]]:
    over = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def started(service: Service) -> str:
        at: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        tasks.append(asyncio.create_task(serve(service, "127.0.0.1", 0, over, at.set_result)))
        return await asyncio.wait_for(at, 5)

    yield started
    over.set()
    await asyncio.gather(*tasks)


async def asked(
    url: str, body: object = None, token: str | None = None, raw: bytes | None = None
) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    data = io.BytesIO(json.dumps(body).encode() if raw is None else raw)
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{url}/investigate", data=data, headers=headers) as reply,
    ):
        return reply.status, await reply.json()


async def test_a_context_in_a_result_out(start: Callable[[Service], Any]) -> None:
    url = await start(Service("brain-1", None, None))
    status, found = await asked(url, RAMP)
    assert (status, found["error"], found["source"]) == (200, None, "rules")
    assert found["advisories"][0]["advisory_type"] == "capacity_cliff_predicted"
    async with aiohttp.ClientSession() as client, client.get(f"{url}/health") as reply:
        assert await reply.json() == {"agent": "brain-1", "state": "ok", "detail": "", "model": None}


@pytest.mark.parametrize(
    ("raw", "status", "reason"),
    [
        (b"{", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"{}", 422, "context.schema"),
        (json.dumps(RAMP | {"window": 1}).encode(), 422, "context.window"),
        (b" " * (BODY_BYTES + 1), 413, "Too Large"),
    ],
)
async def test_a_bad_question_is_refused_with_its_reason(
    start: Callable[[Service], Any], raw: bytes, status: int, reason: str
) -> None:
    got, found = await asked(await start(Service("b", None, None)), raw=raw)
    assert got == status
    assert reason in found["error"]
    assert found["schema"] == "inferguard.brain.result/1"


async def test_without_the_token_nothing_is_investigated_but_health_is_told(
    start: Callable[[Service], Any],
) -> None:
    url = await start(Service("b", TOKEN, None))
    for wrong in (None, "x", TOKEN + "x", "ä"):
        assert (await asked(url, RAMP, wrong))[0] == 401
    assert (await asked(url, RAMP, TOKEN))[0] == 200
    async with aiohttp.ClientSession() as client, client.get(f"{url}/health") as reply:
        assert reply.status == 200
        assert TOKEN not in await reply.text()


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("brain.example", False),
    ],
)
def test_off_this_host_it_needs_a_token(host: str, allowed: bool) -> None:
    assert (refusal(host, Service("b", None, None)) == "") is allowed
    assert refusal(host, Service("b", TOKEN, None)) == ""


async def test_a_model_behind_it_refines_for_a_monitor_elsewhere(start: Callable[[Service], Any]) -> None:
    async with serving(answering(GOOD)) as model:
        thinker = reasoner(model)
        url = await start(Service("b", TOKEN, thinker))
        mind = RemoteMind(url, SecretStr(TOKEN), 10.0)
        found = await mind.think(incident())
        assert found["source"] == "direct"
        assert found["diagnosis"]["cause"] == "long_contexts"
        assert mind.trouble == ""
        await mind.close()
        await thinker.close()


async def test_a_model_that_takes_too_long_leaves_the_rules(start: Callable[[Service], Any]) -> None:
    async with serving(slow(20)) as model:
        thinker = reasoner(model, 20.0)
        status, found = await asked(await start(Service("b", None, thinker, deadline_s=0.5)), incident())
        assert status == 200
        assert "no answer within 0.5 s" in found["error"]
        await thinker.close()


def environment(**more: str) -> dict[str, str]:
    root = Path(__file__).parents[2]
    path = os.pathsep.join(str(root / part) for part in ("core", "brain", "themes", "."))
    return {**os.environ, "PYTHONPATH": path, **more}


@pytest.mark.parametrize(("told", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_the_command_serves_on_host_and_port_of_its_environment_and_ends_when_told(
    told: signal.Signals, code: int
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "inferguard_tui", "brain",
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment(HOST="127.0.0.1", PORT="0"),
    )  # fmt: skip
    assert process.stderr is not None
    said = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
    url = next(word for word in said.split() if word.startswith("http://"))
    assert (await asked(url, RAMP))[0] == 200
    process.send_signal(told)
    assert await asyncio.wait_for(process.wait(), 20) == code
    assert process.stdout is not None
    assert await process.stdout.read() == b""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--host", "0.0.0.0"], "INFERGUARD_BRAIN_TOKEN"),
        (["--port", "99999"], "allowed is 0 to 65535"),
        (["--port", "x"], "allowed is 0 to 65535"),
    ],
)
async def test_what_cannot_be_served_is_one_line(arguments: list[str], reason: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "inferguard_tui", "brain", *arguments,
        stderr=asyncio.subprocess.PIPE, env=environment(),
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 3
    assert reason in said.decode()
    assert len(said.decode().splitlines()) == 1


def test_the_blaxel_file_starts_this_command() -> None:
    file = Path(__file__).parents[2] / "brain" / "blaxel.toml"
    told = tomllib.loads(file.read_text("utf-8"))
    assert told["type"] == "agent"
    assert told["entrypoint"]["prod"] == "python -m inferguard_tui brain"
    assert not any("TOKEN" in name or "KEY" in name for name in told["env"])
