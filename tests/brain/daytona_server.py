"""A local stand-in for Daytona's API, for the calls that a canary makes: create, execute, delete.

It really runs the command, as the workspace would, and can be told to fail at any of them.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class DaytonaServer:
    def __init__(self, failing: str) -> None:
        self.failing = failing
        self.url = ""
        self.keys: list[str] = []
        self.created: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def _refused(self, call: str, request: web.Request) -> bool:
        self.keys.append(request.headers.get("Authorization", ""))
        return self.failing == call

    async def create(self, request: web.Request) -> web.Response:
        if self._refused("create", request):
            return web.json_response({"message": "no quota"}, status=403)
        body = await request.json()
        self.created.append(body)
        told = {
            "id": f"ws-{len(self.created)}", "organizationId": "o", "name": "n", "user": "u", "env": {},
            "labels": body.get("labels", {}), "public": False, "networkBlockAll": True, "kvm": False, "target": "eu",
            "cpu": 1, "gpu": 0, "memory": 1, "disk": 1, "state": "started", "toolboxProxyUrl": f"{self.url}/toolbox",
        }  # fmt: skip
        return web.json_response(told)

    async def execute(self, request: web.Request) -> web.Response:
        if self._refused("execute", request):
            return web.json_response({"message": "toolbox is gone"}, status=500)
        if self.failing == "hang":
            await asyncio.sleep(60)
        body = await request.json()
        process = await asyncio.create_subprocess_shell(
            body["command"], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        return web.json_response({"exitCode": process.returncode, "result": output.decode()})

    async def delete(self, request: web.Request) -> web.Response:
        if self._refused("delete", request):
            return web.json_response({"message": "later"}, status=500)
        self.deleted.append(request.match_info["id"])
        return web.json_response(
            {"id": request.match_info["id"], "organizationId": "o", "name": "n", "user": "u", "env": {}, "labels": {},
             "public": False, "networkBlockAll": True, "kvm": False, "target": "eu", "cpu": 1, "gpu": 0, "memory": 1,
             "disk": 1, "state": "destroyed", "toolboxProxyUrl": f"{self.url}/toolbox"}
        )  # fmt: skip


@asynccontextmanager
async def workspaces(failing: str = "") -> AsyncIterator[DaytonaServer]:
    server = DaytonaServer(failing)
    app = web.Application()
    app.router.add_post("/api/sandbox", server.create)
    app.router.add_post("/toolbox/{id}/process/execute", server.execute)
    app.router.add_delete("/api/sandbox/{id}", server.delete)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
