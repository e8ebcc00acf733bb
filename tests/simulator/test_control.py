"""The receiver of the simulated deployment: signed, once per key, and calm about garbage."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from inferguard_tui.simulator.control import ControlServer
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SECRET = "s1mulated"
URL = "http://127.0.0.1:8000"


class Deployment:
    def __init__(self, secret: str | None = SECRET) -> None:
        self.engine = SimulatedEngine(SCENARIOS["healthy"], seed=1)
        self.server = ControlServer({URL: self.engine}, lambda engine: engine.advance(5.0), secret)

    async def post(self, body: bytes, key: str = "k1", **headers: str) -> tuple[int, dict[str, Any]]:
        told = {"Idempotency-Key": key, "X-InferGuard-Signature": sign(body)} | headers
        async with httpx.AsyncClient(trust_env=False) as client:
            reply = await client.post(self.server.url, content=body, headers=told)
        return reply.status_code, reply.json()


def sign(body: bytes, unix: float | None = None, secret: str = SECRET) -> str:
    stamp = int(time.time() if unix is None else unix)
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def throttle(cap: float = 9.0, key: str = "k1", **changes: object) -> bytes:
    asked = {
        "idempotency_key": key, "action_type": "throttle_concurrency", "endpoint": URL,
        "parameters": {"target_concurrency": cap},
    }  # fmt: skip
    return json.dumps(asked | changes).encode()


@pytest.fixture
async def deployment() -> AsyncIterator[Deployment]:
    made = Deployment()
    await made.server.open()
    yield made
    await made.server.close()


async def test_it_acts_and_says_so(deployment: Deployment) -> None:
    assert await deployment.post(throttle()) == (200, {"accepted": True, "reference": "simulated-1"})
    assert deployment.engine.gateway.cap == 9
    assert deployment.engine.now == 5.0


async def test_a_key_is_acted_on_once_and_answered_alike(deployment: Deployment) -> None:
    first = await deployment.post(throttle())
    deployment.engine.gateway.cap = None
    assert await deployment.post(throttle()) == first
    assert deployment.engine.gateway.cap is None


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(lambda: "", id="none"),
        pytest.param(lambda: "t=1,v1=00", id="made up"),
        pytest.param(lambda: sign(throttle(), secret="another"), id="another secret"),
        pytest.param(lambda: sign(throttle(), unix=time.time() - 3600), id="an hour old"),
        pytest.param(lambda: sign(throttle(8.0)), id="another body"),
        pytest.param(lambda: sign(throttle()).replace("v1=", "v0="), id="another scheme"),
    ],
)
async def test_what_is_not_signed_by_us_just_now_is_declined(
    deployment: Deployment, signature: Callable[[], str]
) -> None:
    status, said = await deployment.post(throttle(), **{"X-InferGuard-Signature": signature()})
    assert (status, said["accepted"]) == (401, False)
    assert deployment.engine.gateway.cap is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", throttle(key="another"), b"\xff"])
async def test_garbage_is_declined(deployment: Deployment, body: bytes) -> None:
    status, said = await deployment.post(body)
    assert (status, said["accepted"]) == (400, False)


@pytest.mark.parametrize(
    "body",
    [throttle(endpoint="http://other:1"), throttle(parameters=[]), throttle(action_type="rm"), throttle(0.0)],
)
async def test_what_cannot_be_done_is_declined_with_a_reason(deployment: Deployment, body: bytes) -> None:
    status, said = await deployment.post(body)
    assert (status, said["accepted"]) == (200, False)
    assert said["error"]
    assert deployment.engine.gateway.cap is None


async def test_without_a_secret_nobody_signs() -> None:
    made = Deployment(secret=None)
    await made.server.open()
    try:
        assert (await made.post(throttle(), **{"X-InferGuard-Signature": ""}))[1]["accepted"] is True
    finally:
        await made.server.close()
