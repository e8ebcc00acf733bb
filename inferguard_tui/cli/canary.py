"""Try a change out of the way: `flags` against the engine's own argument parser, `replay` on a staging engine.

Exit: 0 passed, 2 failed, 3 not run, and nothing is said of the change.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_tui.cli.arguments import add_config, complain, settings_from
from inferguard_tui.cli.exits import CRITICAL, OK, UNKNOWN

if TYPE_CHECKING:
    import argparse

    from inferguard_brain.canary.verdict import Verdict
    from inferguard_core.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="flags | replay")
    flags = kinds.add_parser("flags", help="do these flags parse with that engine's parser?")
    flags.add_argument("flags", nargs="+", metavar="-- --FLAG VALUE", help="as they would be typed, after --")
    flags.add_argument("--engine", required=True, choices=("vllm", "sglang"))
    flags.add_argument(
        "--version", default="", metavar="V", help="of the running engine; another is not tried"
    )
    flags.add_argument(
        "--python", metavar="PATH", help="the interpreter that has the engine (default: this one)"
    )
    flags.add_argument(
        "--site", action="append", type=Path, default=[], metavar="DIR", help="packages besides"
    )
    flags.add_argument("--where", choices=("local", "daytona"), help="default: daytona where a key is set")
    replay = kinds.add_parser("replay", help="a few recorded sessions on a staging engine, before and after")
    replay.add_argument("url", metavar="URL", help="the staging engine")
    replay.add_argument("export", type=Path, metavar="EXPORT", help="ISB-1 file")
    replay.add_argument("--before", type=Path, required=True, metavar="FILE", help="made at the first run")
    replay.add_argument("--sessions", type=int, default=8, metavar="N", help="of the export (default 8)")
    replay.add_argument("--model", metavar="NAME", help="model to ask for (default: the one that is served)")
    for kind in (flags, replay):
        kind.add_argument("--json", action="store_true", help="one JSON object")
        add_config(kind)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    if settings is None:
        return UNKNOWN
    tried = _flags if arguments.kind == "flags" else _replay
    verdict = asyncio.run(tried(arguments, settings))
    if verdict is None:
        return UNKNOWN
    print(json.dumps(verdict.to_json(), ensure_ascii=False) if arguments.json else _words(verdict))
    return {"passed": OK, "failed": CRITICAL}.get(verdict.outcome.value, UNKNOWN)


async def _flags(arguments: argparse.Namespace, settings: Settings) -> Verdict | None:
    from inferguard_brain.canary.flags import flags_canary
    from inferguard_tui.canary import runner

    pairs = paired(arguments.flags)
    if not pairs:
        complain(f"{' '.join(arguments.flags)}: flags begin with --, each with its value behind it")
        return None
    if arguments.where == "daytona" and settings.brain.daytona_api_key is None:
        complain("--where daytona: DAYTONA_API_KEY is not set")
        return None
    place = runner(settings, arguments.python, tuple(arguments.site), arguments.where)
    return await flags_canary(place, arguments.engine, arguments.version, pairs)


async def _replay(arguments: argparse.Namespace, settings: Settings) -> Verdict | None:
    from inferguard_tui.canary import Slice, replay_canary

    if arguments.sessions < 1:
        complain(f"--sessions {arguments.sessions}: allowed is 1 and more")
        return None
    wanted = Slice(arguments.url, arguments.export, arguments.before, arguments.sessions, arguments.model)
    return await replay_canary(wanted, settings, complain)


def paired(words: list[str]) -> list[tuple[str, str]]:
    """Flags with their values, as typed; empty where they are not of that form."""
    pairs: list[tuple[str, str]] = []
    for word in words:
        if word.startswith("--"):
            name, _, value = word.partition("=")
            pairs.append((name, value))
        elif pairs and not pairs[-1][1]:
            pairs[-1] = (pairs[-1][0], word)
        else:
            return []
    return pairs


def _words(verdict: Verdict) -> str:
    from inferguard_core.printable import printable

    rows = [f"{verdict.outcome.value.replace('_', ' ')}: {verdict.reason}", *verdict.evidence]
    return "\n".join(printable(row, 400) for row in rows)
