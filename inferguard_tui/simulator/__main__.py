"""`python -m inferguard_tui.simulator`: engines on loopback ports until stdin closes or a signal comes.

One JSON line per endpoint on stdout, `{"endpoint": URL, "scenario": NAME, "engine": NAME, "seed": N,
"control": URL}`, then silence. Webhooks go to `control`, signed where INFERGUARD_ACTUATION_SECRET is set.
The child of a program that dies sees its stdin close and ends with it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from inferguard_tui.simulator.clock import RealClock
from inferguard_tui.simulator.control import ControlServer
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.fleet import Fleet
from inferguard_tui.simulator.scenarios import SCENARIOS
from inferguard_tui.simulator.server import EngineServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXIT_USAGE = 2
EXIT_FAILED = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 2 for wrong arguments, 3 when a port cannot be had."""
    options = _parse(argv)
    try:
        asyncio.run(_serve(options))
    except OSError as error:
        print(f"simulator: port {options.port}: {error.strerror or error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


async def _serve(options: argparse.Namespace) -> None:
    clock = RealClock(options.speed)
    epoch = time.time()
    servers = [
        EngineServer(
            SimulatedEngine(
                SCENARIOS[options.scenario[index % len(options.scenario)]],
                engine=_dialect(options),
                seed=options.seed + index,
                epoch_unix=epoch,
            ),
            clock,
            options.port + index if options.port else 0,
        )
        for index in range(options.endpoints)
    ]
    fleet = Fleet(servers)
    engines: dict[str, SimulatedEngine] = {}
    control = ControlServer(
        engines, lambda engine: engine.advance(clock.now()), os.environ.get("INFERGUARD_ACTUATION_SECRET")
    )
    try:
        await fleet.open()
        await control.open()
        engines.update({server.url: server.engine for server in servers})
        for index, server in enumerate(servers):
            engine = server.engine
            line = {
                "endpoint": server.url,
                "scenario": engine.scenario.name,
                "engine": engine.dialect.engine,
                "seed": options.seed + index,
                "control": control.url,
            }
            print(json.dumps(line), flush=True)
        await _until_told(asyncio.create_task(fleet.keep_time()))
    finally:
        await control.close()
        await fleet.close()


async def _until_told(work: asyncio.Task[None]) -> None:
    """Return when stdin closes or a signal comes; raise what `work` raises."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    watch = asyncio.create_task(_stdin_closed(told)) if _stdin_is_a_pipe() else None
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
    for task in (work, waiting, watch):
        if task is not None and not task.done():
            task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


def _stdin_is_a_pipe() -> bool:
    """A terminal or /dev/null says nothing about a parent; a pipe's end does."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, ValueError, OSError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def _stdin_closed(told: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while await reader.read(1024):
            pass
    finally:
        transport.close()
        told.set()


def _dialect(options: argparse.Namespace) -> Dialect:
    if options.engine == "sglang":
        return Dialect.SGLANG
    return Dialect.VLLM_V0 if options.generation == "V0" else Dialect.VLLM_V1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"simulator: {message}\n")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="python -m inferguard_tui.simulator", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add(
        "--scenario",
        type=_scenarios,
        default="incident",
        help=f"one of {', '.join(SCENARIOS)}; a comma list is dealt out to the endpoints in turn",
    )
    add("--engine", choices=("vllm", "sglang"), default="vllm")
    add("--generation", choices=("V0", "V1"), default="V1", help="of vLLM")
    add("--endpoints", type=_in_range(1, 1000), default=1, metavar="N")
    add("--seed", type=int, default=0, help="of the first endpoint; each next one has one more")
    add("--port", type=_in_range(0, 65535), default=0, help="of the first endpoint; 0 lets the system choose")
    add("--speed", type=_speed, default=1.0, help="simulated seconds per second, 0.1 to 100")
    options = parser.parse_args(argv)
    if options.port and options.port + options.endpoints - 1 > 65535:
        parser.error(f"--port {options.port} with {options.endpoints} endpoints passes 65535")
    return options


def _scenarios(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in SCENARIOS:
            raise argparse.ArgumentTypeError(f"unknown scenario {name!r}; known: {', '.join(SCENARIOS)}")
    return names


def _in_range(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return number


def _speed(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 100")
    return value


if __name__ == "__main__":
    sys.exit(main())
