"""Past incidents like these words, best first, each with why it matched, what was done and whether it helped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from inferguard_core.followup import Grade
from inferguard_core.memory.protocol import Query
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.exits import OK, UNKNOWN
from inferguard_tui.cli.remembered import add_store, find, moment, span, unreadable, with_memory

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from inferguard_core.followup import Similar
    from inferguard_core.memory.protocol import Memory

FOUND = 5


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="WORDS", help='such as "KV pressure on GPT-OSS"')
    parser.add_argument(
        "--like", metavar="ID", help="an incident whose shape is wanted, with or without words"
    )
    parser.add_argument("--limit", type=int, default=FOUND, metavar="N", help=f"at most (default {FOUND})")
    add_store(parser)


def run(arguments: argparse.Namespace) -> int:
    text = " ".join(arguments.words)
    if not text.strip() and not arguments.like:
        complain('say what to look for: inferguard recall "KV pressure on GPT-OSS", or --like ID')
        return UNKNOWN

    async def ask(memory: Memory, path: Path) -> int:
        query = Query(text, limit=max(1, arguments.limit))
        if arguments.like:
            known = await find(memory, arguments.like)
            if isinstance(known, BadInput):
                complain(known.message)
                return UNKNOWN
            query = Query(text, known.shape, known.id, query.limit)
        return await _answer(memory, path, query, as_json=arguments.json)

    return with_memory(arguments, ask)


async def _answer(memory: Memory, path: Path, query: Query, *, as_json: bool) -> int:
    found = await memory.recall(query)
    if as_json:
        print(json.dumps([similar_json(one) for one in found], indent=1, ensure_ascii=False))
    else:
        print("\n".join(line for one in found for line in words(one)), end="\n" if found else "")
    if found or unreadable(memory):
        return OK
    if not await memory.cases(limit=1):
        complain(f"no incident is remembered in {path}")
    else:
        complain("no remembered incident is like that")
    return OK


def similar_json(one: Similar) -> dict[str, Any]:
    return {
        "incident_id": one.incident_id,
        "endpoint": one.endpoint,
        "cause": one.cause,
        "headline": one.headline,
        "opened_unix": round(one.opened_unix, 3),
        "lasted_s": None if one.lasted_s is None else round(one.lasted_s, 1),
        "score": one.score,
        "why": list(one.why),
        "done": one.done,
        "grade": one.grade.value,
        "recording": one.recording or None,
    }


def words(one: Similar) -> list[str]:
    """One answer, for people."""
    helped = (
        "not known whether it helped" if one.grade is Grade.UNKNOWN else one.grade.value.replace("_", " ")
    )
    return [
        f"{one.score:.2f}  {one.incident_id}  {one.cause}  {moment(one.opened_unix)}, {span(one.lasted_s)}",
        f"      {one.headline}",
        *(f"      like it: {why}" for why in one.why),
        f"      done: {one.done}; {helped}" if one.done else "      nothing is known to have been done",
    ]
