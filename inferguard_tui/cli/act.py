"""Carry out one advised action on one endpoint: a dry run, or with --live the real thing.

Looks at the endpoint itself first, so that the action rests on what is, not on what was. INCIDENT is the id
from the screen or from `watch`, or `now` for whatever the look finds. Exit: 0 rehearsed or applied, 1 declined by
the receiver or graded worse, 3 refused by a guard, not sent, or unknown.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.followup import Execution, Grade, Outcome
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.verdict import ActionType
from inferguard_tui.act import NOW, Act, Asked
from inferguard_tui.acting import policy
from inferguard_tui.cli.arguments import add_access, complain, settings_from
from inferguard_tui.cli.exits import OK, UNKNOWN, WARNING
from inferguard_tui.cli.words import execution_words
from inferguard_tui.cli.yes_live import add_yes_live, refusal
from inferguard_tui.session import addresses

if TYPE_CHECKING:
    import argparse

    from inferguard_core.settings import Settings
    from inferguard_core.sources.address import Address

INTERVAL_S = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    actions = [action.value for action in ActionType]
    parser.add_argument("incident", nargs="?", metavar="INCIDENT", help=f"incident id, or {NOW}")
    parser.add_argument("action", nargs="?", metavar="ACTION", help=f"one of {', '.join(actions)}")
    add_access(parser)
    parser.add_argument("--live", action="store_true", help="send it; asks for the action's name first")
    add_yes_live(parser)
    parser.add_argument(
        "--look", type=float, metavar="S", help="seconds to look first (6; with --live the quiet window)"
    )
    parser.add_argument("--interval", type=float, metavar="S", help="seconds between polls (default 1)")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the grade")
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout")
    parser.add_argument("--audit", action="store_true", help="print the audit, and say whether it is whole")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    if settings is None:
        return UNKNOWN
    if arguments.audit:
        return _audit(settings)
    prepared = _prepared(arguments, settings)
    if isinstance(prepared, str):
        complain(prepared)
        return UNKNOWN
    endpoint, asked = prepared
    tell = _Teller(as_json=arguments.json)
    act = Act(endpoint, settings, asked, tell.execution, complain)
    ended = asyncio.run(act.run(_confirmation(arguments)))
    if isinstance(ended, str):
        complain(ended)
        return UNKNOWN
    return _code(ended)


def _prepared(arguments: argparse.Namespace, settings: Settings) -> tuple[Address, Asked] | str:
    """The endpoint and what is wanted of it, or what is wrong with the arguments."""
    asked = _asked(arguments)
    if isinstance(asked, BadInput):
        return asked.message
    endpoint = _endpoint(arguments, asked)
    if isinstance(endpoint, BadInput):
        return endpoint.message
    return refusal(arguments.yes_live, policy(settings)) or (endpoint, asked)


def _asked(arguments: argparse.Namespace) -> Asked | BadInput:
    if arguments.incident is None or arguments.action is None:
        return BadInput("inferguard act INCIDENT ACTION [URL]; inferguard act --audit prints what was done")
    try:
        action = ActionType(arguments.action)
    except ValueError:
        return BadInput(f"{arguments.action}: no such action; there are {', '.join(ActionType)}")
    if arguments.look is not None and not 0 < arguments.look <= 3600:
        return BadInput(f"--look {arguments.look:g}: allowed is more than 0 to 3600 seconds")
    return Asked(
        incident=arguments.incident,
        action=action,
        live=arguments.live or action.value in arguments.yes_live,
        look_s=arguments.look,
        interval_s=arguments.interval or INTERVAL_S,
        wait=not arguments.no_wait,
    )


def _endpoint(arguments: argparse.Namespace, asked: Asked) -> Address | BadInput:
    """The URL given, else the endpoint that the incident's id names."""
    named = asked.incident.rpartition("/")[0]
    if not arguments.urls and not named:
        return BadInput(f"{asked.incident}: names no endpoint; give its URL")
    found = addresses(arguments.urls or [named])
    if isinstance(found, BadInput):
        return found
    if len(found) != 1:
        return BadInput(f"{len(found)} endpoints: an action is for one")
    if asked.incident != NOW and named not in (found[0].name, found[0].url.partition("://")[2]):
        return BadInput(f"{asked.incident}: is an incident of {named or 'nowhere'}, not of {found[0].name}")
    return found[0]


def _confirmation(arguments: argparse.Namespace) -> str | None:
    """What was typed beforehand, or None to ask for it."""
    if arguments.action in arguments.yes_live:
        return str(arguments.action)
    return None if sys.stdin.isatty() else ""


class _Teller:
    """Writes each change of an execution, once."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def execution(self, execution: Execution) -> None:
        if self._as_json:
            from inferguard_core.events import execution_json

            line = {"event": "execution", "incident_id": execution.incident_id, **execution_json(execution)}
            print(json.dumps(line, ensure_ascii=False), flush=True)
            return
        print(execution_words(execution), flush=True)
        if execution.outcome in (Outcome.DRY_RUN, Outcome.REFUSED):
            print(f"  target    {execution.target or 'none is set'}")
            for check in execution.checks:
                print(f"  {'ok' if check.ok else 'no':<8}  {check.guard:<11} {check.text}")
            print(f"  watched   {'; '.join(execution.watches)}", flush=True)


def _code(execution: Execution) -> int:
    if execution.outcome is Outcome.DRY_RUN:
        return OK
    if execution.outcome is Outcome.REJECTED or execution.grade is Grade.WORSE:
        return WARNING
    return OK if execution.outcome is Outcome.APPLIED else UNKNOWN


def _audit(settings: Settings) -> int:
    """The audit as it stands, for whoever keeps such things."""
    from inferguard_core.actuation.audit import Audit, AuditError

    try:
        trail = Audit(settings.memory.state_dir).read()
    except AuditError as error:
        complain(str(error))
        return UNKNOWN
    for record in trail.records:
        print(json.dumps(record, ensure_ascii=True))
    complain(*trail.broken)
    complain(f"{counted(len(trail.records), 'record')}; the chain is {'broken' if trail.broken else 'whole'}")
    return WARNING if trail.broken else OK
