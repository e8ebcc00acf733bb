"""Serve investigations over HTTP: GET /health, POST /investigate. HOST and PORT are heeded.

A monitor asks it with INFERGUARD_BRAIN_MODE=remote and INFERGUARD_BRAIN_URL. The LLM's key stays here.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from inferguard_tui.cli.arguments import add_config, complain, settings_from
from inferguard_tui.cli.exits import INTERRUPTED, OK, UNKNOWN

if TYPE_CHECKING:
    import argparse

    from inferguard_brain.service import Service
    from inferguard_core.settings.model import Brain

HOST, PORT = "127.0.0.1", 8077
LAST_PORT = 65535


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="H", help=f"address to listen on (HOST, else {HOST})")
    parser.add_argument(
        "--port", metavar="P", help=f"port to listen on (PORT, else {PORT}; 0 takes a free one)"
    )
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    port = _port(arguments.port or os.environ.get("PORT") or str(PORT))
    if settings is None or port is None:
        return UNKNOWN
    from inferguard_brain.service import refusal

    host = arguments.host or os.environ.get("HOST") or HOST
    service = _service(settings.brain)
    why_not = refusal(host, service)
    if why_not:
        complain(why_not)
        return UNKNOWN
    return asyncio.run(_serve(service, host, port))


def _port(text: str) -> int | None:
    if text.isascii() and text.isdecimal() and int(text) <= LAST_PORT:
        return int(text)
    complain(f"port {text!r}: allowed is 0 to {LAST_PORT}")
    return None


def _service(settings: Brain) -> Service:
    from inferguard_brain.service import Service
    from inferguard_tui.brain_setup import reasoner

    key = settings.gmi_api_key
    return Service(
        name=settings.agent_name,
        token=None if settings.token is None else settings.token.get_secret_value(),
        thinker=None if key is None else reasoner(settings, key.get_secret_value()),
        deadline_s=settings.deadline_seconds,
    )


async def _serve(service: Service, host: str, port: int) -> int:
    from inferguard_brain.service import serve

    over, by = asyncio.Event(), set[int]()

    def end(number: int) -> None:
        by.add(number)
        over.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    behind = "rules alone" if service.thinker is None else service.thinker.name

    def ready(url: str) -> None:
        complain(f"{service.name} answers at {url} ({behind}); Ctrl-C ends")

    try:
        await serve(service, host, port, over, ready)
    except OSError as error:
        complain(f"{host}:{port}: {error.strerror or error}")
        return UNKNOWN
    return INTERRUPTED if signal.SIGINT in by else OK
