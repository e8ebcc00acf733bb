"""Send the sessions of an ISB-1 export to an engine and measure what comes back.

Refuses when the engine is in trouble (--force), when stacks, hardware or models would be mixed, and when the
recorded waits are too long. Ctrl-C ends it with what is there.

Exit: 0 all answered, 1 some failed, 2 none answered or worse than the baseline, 3 nothing sent.
"""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.replay.contrast import Verdict
from inferguard_core.replay.export import read_export
from inferguard_core.replay.figures import PERCENTILES
from inferguard_core.replay.plan import Choice, make_plan
from inferguard_core.replay.report import Baseline, Result, compared, read_baseline, to_json
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import add_reach, complain, settings_from
from inferguard_tui.cli.exits import CRITICAL, INTERRUPTED, OK, UNKNOWN, WARNING
from inferguard_tui.cli.progress import Progress
from inferguard_tui.cli.validate_words import text

if TYPE_CHECKING:
    import argparse

    from inferguard_core.replay.run import Run
    from inferguard_core.settings import Settings
    from inferguard_tui.validate import Order


def configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", metavar="URL", help="one engine: host:port or http(s)://host:port")
    add("export", nargs="?", type=Path, metavar="EXPORT", help="ISB-1 file (default: the setting's)")
    add("--model", metavar="NAME", help="model to ask for (default: the one that is served)")
    add("--api", choices=("chat", "completions"), default="chat")
    add("--runtime-stack-id", metavar="ID", help="only cells of this stack, such as standalone:vllm")
    add("--hardware-profile-id", metavar="ID", help="only cells of this hardware")
    add("--canonical-model-id", metavar="ID", help="only cells of this model")
    add("--max-sessions", type=int, metavar="N", help="sessions to send, 0 is all (default 0)")
    add("--max-concurrency", type=int, metavar="N", help="sessions in flight at once (default 4)")
    add("--max-wait", type=float, metavar="S", help="refuse longer waits before a turn (default 120)")
    add("--ignore-waits", action="store_true", help="send without the recorded waits")
    add("--percentiles", type=_percentiles, metavar="P,P", default=PERCENTILES, help="default 50,90,95,99")
    add("--compare", type=Path, metavar="BASELINE", help="the JSON of an earlier run of the same load")
    add(
        "--incident",
        metavar="ID",
        help="keep the run with this incident; after a remedy, compare with before",
    )
    add("--after", action="store_true", help="with --incident: something was done, though none is known")
    add("--force", action="store_true", help="send although the engine is in trouble or cannot be seen")
    add("--json", action="store_true", help="one JSON object, a baseline for --compare")
    add_reach(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    prepared = None if settings is None else _prepared(arguments, settings)
    if settings is None or prepared is None:
        return UNKNOWN
    result = asyncio.run(_whole(prepared, settings, arguments))
    if isinstance(result, BadInput):
        complain(result.message)
        return UNKNOWN
    print(json.dumps(to_json(result), ensure_ascii=False) if arguments.json else text(result))
    return exit_code(result)


def exit_code(result: Result) -> int:
    found = result.figures
    if result.record.ended_early == _TOLD:
        return INTERRUPTED
    if not found.answered or (result.comparison and result.comparison.verdict is Verdict.REGRESSED):
        return CRITICAL
    return WARNING if found.answered < result.plan.turns else OK


_TOLD = "told to end"


@dataclass(frozen=True, slots=True)
class _Prepared:
    address: Address
    order: Order
    baseline: Baseline | None


def _prepared(arguments: argparse.Namespace, settings: Settings) -> _Prepared | None:
    """Everything that can be wrong without asking the engine, checked; None after saying what is."""
    address = parse_address(arguments.url)
    if isinstance(address, Address) and address.selector is not None:
        address = BadInput(
            f"{address.name}: load goes to an engine, not to a metrics server; give its address"
        )
    if isinstance(address, BadInput):
        complain(address.message)
        return None
    order = _order(arguments, settings)
    baseline = None if arguments.compare is None else read_baseline(arguments.compare)
    for problem in (order, baseline):
        if isinstance(problem, BadInput):
            complain(problem.message)
            return None
    assert not isinstance(order, BadInput)
    assert not isinstance(baseline, BadInput)
    return _Prepared(address, order, baseline)


def _order(arguments: argparse.Namespace, settings: Settings) -> Order | BadInput:
    from inferguard_core.replay.client import Api
    from inferguard_tui.validate import Order

    chosen = settings.replay
    path = arguments.export or chosen.export_file
    if path is None:
        return BadInput("no export: name an ISB-1 file, or set INFERGUARD_REPLAY_EXPORT_FILE")
    export = read_export(path)
    if isinstance(export, BadInput):
        return export
    choice = Choice(
        runtime_stack_id=chosen.runtime_stack_id,
        hardware_profile_id=arguments.hardware_profile_id,
        canonical_model_id=arguments.canonical_model_id,
        max_sessions=chosen.max_sessions,
        max_wait_s=chosen.max_wait_seconds,
        ignore_waits=arguments.ignore_waits,
    )
    plan = make_plan(export, choice)
    if isinstance(plan, BadInput):
        return BadInput(f"{path}: {plan}")
    return Order(
        plan=plan,
        export=path.name,
        concurrency=chosen.max_concurrency,
        percentiles=arguments.percentiles,
        api=Api(arguments.api),
        model=arguments.model,
        force=arguments.force,
        answer_deadline_s=chosen.answer_deadline_seconds,
        approximate=chosen.skip_tokenizer,
    )


async def _whole(prepared: _Prepared, settings: Settings, arguments: argparse.Namespace) -> Result | BadInput:
    """The run, held against its baseline and kept with its incident."""
    from inferguard_tui.cli.validated import kept, remembered

    about = None if arguments.incident is None else await remembered(settings, arguments.incident)
    if isinstance(about, BadInput):
        return about
    result = await _sent(prepared, settings)
    if isinstance(result, BadInput):
        return result
    if prepared.baseline is not None:
        result = replace(result, comparison=compared(result, prepared.baseline))
    if about is None:
        return result
    return await kept(settings, about, result, after=arguments.after)


async def _sent(prepared: _Prepared, settings: Settings) -> Result | BadInput:
    from inferguard_tui.session import access
    from inferguard_tui.validate import Told, validate

    progress = Progress(prepared.order.plan.turns)
    loop = asyncio.get_running_loop()

    def started(run: Run) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: run.end(_TOLD))

    told = Told(complain, started, progress.outcome)
    try:
        return await validate(prepared.address, access(settings), settings.limits, prepared.order, told)
    finally:
        progress.close()


def _percentiles(text: str) -> tuple[float, ...]:
    import argparse

    try:
        found = tuple(dict.fromkeys(float(part) for part in text.split(",")))
    except ValueError:
        found = ()
    if not found or not all(0 < p < 100 for p in found):
        raise argparse.ArgumentTypeError(f"{text}: numbers above 0 and below 100, such as 50,95,99.9")
    return found
