"""Load on one engine from beginning to end: look, refuse or send, watch meanwhile, sum up.

The look comes first whatever is asked: an engine in trouble gets no load unless the person insists.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.reading import Engine
from inferguard_core.replay.client import Api, open_load_client
from inferguard_core.replay.gauge import Gauge, shown
from inferguard_core.replay.guard import served_model, trouble
from inferguard_core.replay.report import Result, Subject
from inferguard_core.replay.run import Run
from inferguard_core.replay.send import Sender, Target
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.connection import connect
from inferguard_tui.scan import SAMPLES, SPAN_S, scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.detect.limits import Limits
    from inferguard_core.frame import EndpointFrame
    from inferguard_core.replay.outcome import TurnOutcome
    from inferguard_core.replay.plan import Plan
    from inferguard_core.sources.access import Access
    from inferguard_core.sources.address import Address
    from inferguard_tui.connection import Connection


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent, and how."""

    plan: Plan
    export: str
    """Name of the export's file."""
    concurrency: int
    percentiles: tuple[float, ...]
    api: Api = Api.CHAT
    model: str | None = None
    force: bool = False
    """Send although the engine is in trouble, or cannot be seen."""
    answer_deadline_s: float = 600.0
    approximate: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told how it goes; none of them may block."""

    about: Callable[[str], None]
    """Something that a person should read."""
    started: Callable[[Run], None]
    """The run, to end it early."""
    outcome: Callable[[TurnOutcome], None]


async def validate(
    address: Address, access: Access, limits: Limits, order: Order, told: Told
) -> Result | BadInput:
    """The result of `order` at `address`, or why nothing was sent."""
    connection = connect([address], access)
    if isinstance(connection, BadInput):
        return connection
    try:
        told.about(f"looking at {address.name} for {SPAN_S:g} s before anything is sent")
        (look,) = await scan(connection.sources, SAMPLES, SPAN_S / (SAMPLES - 1), limits)
        target = _target(look.frame, address, access, order)
        if isinstance(target, BadInput):
            return target
        warnings = (*order.plan.warnings, *_warnings(look.frame, order, target.model))
        told.about(f"sending {counted(order.plan.turns, 'turn')} to {target.model}")
        for warning in warnings:
            told.about(warning)
        result = await _under_load(connection, target, look.frame, limits, order, told)
        return result if isinstance(result, BadInput) else replace(result, warnings=warnings)
    finally:
        await connection.close()


def _target(frame: EndpointFrame, address: Address, access: Access, order: Order) -> Target | BadInput:
    """Where the load goes, or why it goes nowhere."""
    reason = trouble(frame)
    if reason is not None and not order.force:
        return BadInput(f"{address.name}: nothing is sent: {reason}; --force sends all the same")
    model, problem = served_model(frame, order.model)
    if problem:
        return BadInput(problem)
    return Target(address, access, model, order.api, order.answer_deadline_s, order.approximate)


def _warnings(frame: EndpointFrame, order: Order, model: str) -> list[str]:
    said = []
    if (reason := trouble(frame)) is not None:
        said.append(f"load was forced: {reason}")
    stack = order.plan.identity.runtime_stack_id
    if frame.engine is not Engine.UNKNOWN and not stack.endswith(f":{frame.engine.value}"):
        said.append(f"the sessions were recorded on {stack}; this is {frame.engine.value}")
    recorded = order.plan.identity.canonical_model_id
    if _letters(recorded) not in _letters(model):
        said.append(f"the sessions were recorded with {recorded}; they go to {model}")
    return said


def _letters(name: str) -> str:
    """`gpt_oss_120b` and `openai/gpt-oss-120b` name one model."""
    return "".join(c for c in name.lower() if c.isalnum())


async def _under_load(
    connection: Connection, target: Target, frame: EndpointFrame, limits: Limits, order: Order, told: Told
) -> Result | BadInput:
    client = open_load_client(target.access)
    if isinstance(client, BadInput):
        return client
    ((name, source),) = connection.sources
    gauge = Gauge(name, source, limits)
    async with client:
        run = Run(order.plan, Sender(client, target), order.concurrency, told.outcome)
        told.started(run)
        watching = asyncio.create_task(gauge.watch(), name="what the engine shows under load")
        try:
            record = await run.go()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
    subject = Subject(
        endpoint=frame.endpoint,
        engine=frame.engine.value,
        engine_version=frame.engine_version,
        model=target.model,
        api=target.api.value,
        export=order.export,
        concurrency=order.concurrency,
    )
    return Result(subject, order.plan, record, shown(gauge, frame.proof), order.percentiles)
