"""Look at endpoints once, over a few seconds, and say what is wrong."""

from __future__ import annotations

import asyncio
import json
from itertools import chain
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.frame import EndpointFrame, MeasureId, Severity
from inferguard_core.reading import Engine
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.acting import rehearsals
from inferguard_tui.cli.arguments import add_access, complain, settings_from
from inferguard_tui.cli.exits import UNKNOWN, of_severity
from inferguard_tui.cli.targets import targets
from inferguard_tui.cli.words import amount, engine_words, execution_words
from inferguard_tui.connection import connect
from inferguard_tui.scan import SAMPLES, SPAN_S, Scan, scan, scan_fleet, to_json
from inferguard_tui.session import access

if TYPE_CHECKING:
    import argparse

_SHOWN = (
    ("KV", MeasureId.KV_USAGE),
    ("running", MeasureId.RUNNING),
    ("waiting", MeasureId.WAITING),
    ("TTFT p95", MeasureId.TTFT_P95),
    ("decode", MeasureId.GENERATION_RATE),
    ("hit rate", MeasureId.PREFIX_HIT_RATE),
    ("preempted", MeasureId.PREEMPTION_RATE),
)


def configure(parser: argparse.ArgumentParser) -> None:
    add_access(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, an array for several endpoints")
    parser.add_argument("--model", metavar="NAME", help="model that the endpoints are to serve")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, metavar="N", help=f"polls, 2 to 100 (default {SAMPLES})"
    )
    parser.add_argument("--interval", type=float, metavar="S", help="seconds between polls (default 2)")


def run(arguments: argparse.Namespace) -> int:
    if not 2 <= arguments.samples <= 100:
        complain(f"--samples {arguments.samples}: allowed is 2 to 100")
        return UNKNOWN
    settings = settings_from(arguments)
    endpoints = None if settings is None else targets(arguments, settings)
    if settings is None or endpoints is None:
        return UNKNOWN
    # The setting is the rhythm of a monitor; only an interval named here is meant for a scan.
    interval_s = float(arguments.interval or SPAN_S / (SAMPLES - 1))

    async def look() -> list[Scan] | BadInput:
        connection = connect(endpoints, access(settings))
        if isinstance(connection, BadInput):
            return connection
        try:
            limits, model = settings.limits, arguments.model
            after = rehearsals(settings)
            direct = scan(connection.sources, arguments.samples, interval_s, limits, model, after)
            behind = (
                scan_fleet(fleet, arguments.samples, limits, model, after) for fleet in connection.fleets
            )
            return list(chain.from_iterable(await asyncio.gather(direct, *behind)))
        finally:
            await connection.close()

    results = asyncio.run(look())
    if isinstance(results, BadInput):
        complain(results.message)
        return UNKNOWN
    if arguments.json:
        objects = [to_json(r) for r in results]
        print(json.dumps(objects if len(objects) > 1 else objects[0], ensure_ascii=False))
    else:
        print("\n\n".join(text(r) for r in results))
    return exit_code(results, arguments.model)


def exit_code(results: list[Scan], model: str | None) -> int:
    """The worst severity; unknown when an endpoint did not answer, or does not serve `model`."""
    code = max(of_severity(r.frame.severity if r.answered else Severity.OK) for r in results)
    for result in results:
        served = result.reading.models if result.reading is not None else ()
        if model is not None and served and model not in served:
            complain(
                f"{result.frame.name}: does not serve {model}; it serves {', '.join(result.frame.models)}"
            )
            code = code or UNKNOWN
    return code if all(r.answered for r in results) or code else UNKNOWN


def text(result: Scan) -> str:
    """A few lines for a person: verdict, anomalies, numbers, and what could not be seen."""
    frame = result.frame
    status = frame.severity.word.upper() if result.answered else "UNKNOWN"
    lines = [
        "  ".join(part for part in (frame.name, status, engine_words(frame), ", ".join(frame.models)) if part)
    ]
    lines += [f"  {a.severity.word:<8}  {a.kind:<20} {a.summary}" for a in frame.anomalies if result.answered]
    lines += _conclusions(frame)
    if frame.failure is not None:
        lines.append(f"  {frame.failure.message}")
    if result.answered:
        lines.append(f"  {_numbers(frame)}")
        lines.append(f"  from {counted(result.polls, 'poll')} over {result.seconds:.1f} s")
    lines += [
        f"  blind     {b.rule:<20} {b.missing} not exported{f'; {b.remedy}' if b.remedy else ''}"
        for b in frame.blind
    ]
    lines += [f"  doubtful  {doubt}" for doubt in frame.doubts]
    if result.answered and not frame.anomalies and frame.engine is not Engine.UNKNOWN:
        lines.insert(1, "  nothing wrong in what this engine lets us see")
    return "\n".join(lines)


def _conclusions(frame: EndpointFrame) -> list[str]:
    """Why, what is advised, and the flags to change."""
    lines = []
    if frame.diagnosis is not None:
        lines.append(f"  cause     {frame.diagnosis.cause} {frame.diagnosis.confidence:.2f}")
    current = (a for a in frame.advisories if a.superseded_by is None)
    lines += [f"  advice    {a.action_type.value}: {a.reason}" for a in current]
    lines += [f"  {execution_words(e)}" for e in frame.executions]
    if frame.fix is not None and frame.fix.command:
        lines.append(f"  fix       {' '.join(frame.fix.command.replace(chr(92), ' ').split())}")
    return lines


def _numbers(frame: EndpointFrame) -> str:
    return "   ".join(f"{label} {amount(frame.measures.get(measure))}" for label, measure in _SHOWN)
