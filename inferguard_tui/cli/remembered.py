"""What the commands about past incidents share: opening the memory, finding an incident by a part of its name."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from inferguard_core.memory.choice import open_memory, store_path
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.threads import use_unwaited_threads
from inferguard_tui.cli.arguments import add_config, complain, settings_from
from inferguard_tui.cli.exits import UNKNOWN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from inferguard_core.memory.case import Case
    from inferguard_core.memory.protocol import Memory

T = TypeVar("T")
SEARCHED = 10_000
"""Newest incidents among which a part of a name is looked for."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Options about which memory is asked."""
    parser.add_argument("--json", action="store_true", help="JSON on stdout")
    parser.add_argument("--simulated", action="store_true", help="what `inferguard demo` went through")
    add_config(parser)


def with_memory(
    arguments: argparse.Namespace, work: Callable[[Memory, Path], Awaitable[int]], *, writes: bool = False
) -> int:
    """Run `work` on the memory that is set up; the exit code."""
    settings = settings_from(arguments)
    if settings is None:
        return UNKNOWN
    chosen, simulated = settings.memory, arguments.simulated
    memory = open_memory(chosen, settings.limits.reopen_within, simulated=simulated, read_only=not writes)
    path = store_path(chosen, simulated=simulated)
    if memory is None or (writes and chosen.mode == "read_only"):
        complain(f"memory is {chosen.mode.replace('_', '-')} (INFERGUARD_MEMORY_MODE)")
        return UNKNOWN

    async def whole() -> int:
        use_unwaited_threads()
        await memory.start()
        try:
            code = await work(memory, path)
        finally:
            await memory.close()
        troubles = [f"{p.part} {p.state}: {p.detail}" for p in memory.health if p.detail]
        complain(*troubles)
        return UNKNOWN if unreadable(memory) else code

    return asyncio.run(whole())


def unreadable(memory: Memory) -> bool:
    """Whether there is a memory that could not be asked: that it answered nothing says nothing."""
    return any(p.state == "down" or (p.state == "read-only" and p.detail) for p in memory.health)


async def find(memory: Memory, wanted: str) -> Case | BadInput:
    """The incident of this name, or the only one whose name holds it."""
    known = await memory.case(wanted)
    if known is not None:
        return known
    like = [case for case in await memory.cases(limit=SEARCHED) if wanted in case.id]
    if len(like) == 1:
        return like[0]
    if not like:
        return BadInput(f"incident {wanted}: none is remembered; see: inferguard incidents")
    names = ", ".join(case.id for case in like[:3])
    return BadInput(f"incident {wanted}: {len(like)} are called so ({names}{', …' if len(like) > 3 else ''})")


def moment(unix: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix))


def span(seconds: float | None) -> str:
    """`2 h 5 min`, `open` where it has no end."""
    if seconds is None:
        return "open"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
