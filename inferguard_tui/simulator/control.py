"""The webhook receiver of the simulated deployment: checks the signature, acts once per key, answers as documented.

Written against the format and not against our own sender, as an operator's receiver would be.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from inferguard_tui.simulator.actions import carry_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_tui.simulator.engine import SimulatedEngine

HOST = "127.0.0.1"
PATH = "/actuate"
TOLERANCE_S = 300.0
"""An older signature may be a recorded one."""
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class ControlServer:
    """One port on the loopback for all engines of a simulation; it stays up when an engine is down."""

    def __init__(
        self,
        engines: Mapping[str, SimulatedEngine],
        to_present: Callable[[SimulatedEngine], None],
        secret: str | None,
    ) -> None:
        """`engines` by URL; `to_present` brings one to the clock before it is acted on."""
        self._engines = engines
        self._to_present = to_present
        self._secret = secret
        self._answers: dict[str, dict[str, Any]] = {}
        self._log: list[dict[str, Any]] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def open(self, port: int = 0) -> None:
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_post(PATH, self._actuate)
        app.router.add_get(PATH, self._told)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}{PATH}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _told(self, _: web.Request) -> web.Response:
        """What was asked for so far, in order."""
        return web.json_response(self._log)

    async def _actuate(self, http: web.Request) -> web.Response:
        body = await http.read()
        if self._secret is not None and not signed(
            self._secret, http.headers.get("X-InferGuard-Signature", ""), body, time.time()
        ):
            return web.json_response(
                {"accepted": False, "error": "signature is missing or wrong"}, status=401
            )
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        key = http.headers.get("Idempotency-Key", "")
        if not isinstance(asked, dict) or not key or asked.get("idempotency_key") != key:
            return web.json_response(
                {"accepted": False, "error": "not an actuation with its key"}, status=400
            )
        if key not in self._answers:
            self._answers[key] = self._answer(asked, key)
        return web.json_response(self._answers[key])

    def _answer(self, asked: dict[str, Any], key: str) -> dict[str, Any]:
        engine = self._engines.get(str(asked.get("endpoint")))
        parameters = asked.get("parameters")
        if engine is None or not isinstance(parameters, dict):
            error = "no such endpoint here" if engine is None else "parameters are not an object"
        else:
            self._to_present(engine)
            error = carry_out(engine, str(asked.get("action_type")), parameters)
        self._log.append({"key": key, "action_type": asked.get("action_type"), "error": error})
        if error:
            return {"accepted": False, "error": error}
        return {"accepted": True, "reference": f"simulated-{len(self._log)}"}


def signed(secret: str, header: str, body: bytes, unix: float) -> bool:
    """Whether `t=<unix>,v1=<hex>` is this secret's signature of this body, and not an old one."""
    found = _SIGNATURE.fullmatch(header)
    if found is None or abs(unix - int(found[1])) > TOLERANCE_S:
        return False
    mac = hmac.new(secret.encode(), f"{found[1]}.".encode() + body, hashlib.sha256)
    return hmac.compare_digest(mac.hexdigest(), found[2])
