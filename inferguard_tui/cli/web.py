"""Serve the terminal UI to a browser on this host. With --demo: on a simulated engine."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from inferguard_tui.cli.arguments import add_access, add_interval, complain, settings_from
from inferguard_tui.cli.exits import UNKNOWN
from inferguard_tui.cli.targets import targets
from inferguard_tui.connection import TUI_INTERVAL_S

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inferguard_core.settings import Settings

HOST, PORT = "127.0.0.1", 8080
DEMO_INTERVAL_S = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    add_access(parser)
    add_interval(parser, f"{TUI_INTERVAL_S:g}")
    parser.add_argument("--theme", metavar="NAME", help="colours of the screen")
    group = parser.add_argument_group("page")
    group.add_argument(
        "--host", default=HOST, help=f"address to serve on (default {HOST}); there is no password"
    )
    group.add_argument(
        "--port", type=int, default=PORT, metavar="N", help=f"port to serve on (default {PORT})"
    )
    group.add_argument(
        "--demo",
        nargs="?",
        const="incident",
        metavar="SCENARIO",
        help="on a simulated engine (default incident)",
    )
    group.add_argument(
        "--engine", choices=("vllm", "sglang"), default="vllm", help="whose metrics the simulated one speaks"
    )


def run(arguments: argparse.Namespace) -> int:
    from inferguard_tui.simulator.launch import LaunchError, launched

    if find_spec("textual_serve") is None:
        complain("web needs its extra: pip install 'inferguard-tui[web]'")
        return UNKNOWN
    settings = settings_from(arguments)
    if settings is None or not _sensible(arguments):
        return UNKNOWN
    try:
        with contextlib.ExitStack() as stack:
            urls: Sequence[str]
            if arguments.demo is not None:
                urls = stack.enter_context(launched(arguments.demo, arguments.engine, 1, 1))
                arguments.interval = arguments.interval or DEMO_INTERVAL_S
            else:
                urls = _urls(arguments, settings)
            return _serve(arguments, urls) if urls else UNKNOWN
    except LaunchError as error:
        complain(str(error))
        return UNKNOWN


def _sensible(arguments: argparse.Namespace) -> bool:
    from inferguard_tui.simulator.scenarios import SCENARIOS

    if not 0 <= arguments.port <= 65535:
        complain(f"--port {arguments.port}: allowed is 0 to 65535")
    elif arguments.demo is not None and arguments.urls:
        complain("--demo brings its own engine; leave out the URLs")
    elif arguments.demo is not None and arguments.demo not in SCENARIOS:
        complain(f"--demo {arguments.demo}: no such scenario; there are {', '.join(sorted(SCENARIOS))}")
    else:
        return True
    return False


def _urls(arguments: argparse.Namespace, settings: Settings) -> tuple[str, ...]:
    """What each page monitors: as given, so that a login in a URL reaches it; else what is found now."""
    found = targets(arguments, settings)
    if found is None:
        return ()
    return tuple(arguments.urls or settings.access.endpoints) or tuple(address.url for address in found)


def command_line(arguments: argparse.Namespace, urls: Sequence[str]) -> str:
    """The command of a page, for a shell: every argument quoted."""
    parts = [sys.executable, "-m", "inferguard_tui", "tui"]
    for option in ("config", "ca", "deadline", "interval", "theme"):
        value = getattr(arguments, option)
        # With = a value that begins with a dash is still a value.
        parts += [f"--{option}={value}"] if value is not None else []
    parts += ["--insecure"] if arguments.insecure else []
    parts += [] if _is_loopback(arguments.host) else ["--read-only"]
    return f"exec {shlex.join([*parts, '--', *urls])}"


def _is_loopback(host: str) -> bool:
    from inferguard_tui.web import LOOPBACK

    return host in LOOPBACK


def _serve(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    from inferguard_tui.web import serve

    host, port = arguments.host, arguments.port
    name = f"http://{f'[{host}]' if ':' in host else host}"
    if not _is_loopback(host):
        complain(
            f"warning: {host} can be reached from outside this host and there is no password; whoever reaches"
            " it sees what you see. Actions are read-only. Better: leave out --host and use ssh -L"
        )
    command = command_line(arguments, urls)
    try:
        return asyncio.run(serve(command, host, port, lambda got: complain(f"serving on {name}:{got}")))
    except OSError as error:
        complain(f"{name}:{port}: {error.strerror or error}; choose another with --port")
        return UNKNOWN
