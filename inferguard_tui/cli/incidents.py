"""Past incidents: list them, show or export one whole, write a note, say how it ended and what helped."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferguard_core.followup import Grade, Note
from inferguard_core.frame import IncidentState, Severity
from inferguard_core.memory.case import Applied, Case, Known
from inferguard_core.memory.codec import encode
from inferguard_core.memory.merging import spoken
from inferguard_core.memory.track import done, judged
from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.exits import OK, UNKNOWN
from inferguard_tui.cli.remembered import add_store, find, moment, span, unreadable, with_memory
from inferguard_tui.person import person

if TYPE_CHECKING:
    import argparse

    from inferguard_core.memory.protocol import Memory

NOTE_LENGTH = 2000
LISTED = 50


def configure(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(what="list", limit=LISTED, endpoint=None)
    add_store(parser)
    commands = parser.add_subparsers(dest="what", metavar="COMMAND", required=False)
    listed = commands.add_parser("list", help="newest first (the same as no command)")
    listed.add_argument("--limit", type=int, default=LISTED, metavar="N", help=f"at most (default {LISTED})")
    listed.add_argument("--endpoint", metavar="URL", help="only of this one")
    shown = commands.add_parser("show", help="one incident in words")
    exported = commands.add_parser("export", help="one incident whole, as JSON")
    exported.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="write it there instead of to stdout"
    )
    noted = commands.add_parser("note", help="write into one")
    resolved = commands.add_parser(
        "resolve", help="say that one is over, what was done and whether it helped"
    )
    for one in (shown, exported, noted, resolved):
        one.add_argument("id", metavar="ID", help="its name, or a part that only one has")
    noted.add_argument("text", metavar="TEXT")
    resolved.add_argument("text", nargs="?", default="", metavar="TEXT", help="what became of it")
    resolved.add_argument(
        "--applied", action="append", default=[], metavar="WHAT",
        help="a flag with its value or an action that was really carried out; may be repeated",
    )  # fmt: skip
    resolved.add_argument(
        "--grade", choices=[grade.value for grade in Grade], default=None, help="whether it helped"
    )
    for one in (listed, shown, exported, noted, resolved):
        add_store(one)


def run(arguments: argparse.Namespace) -> int:
    what = arguments.what or "list"
    if what == "list":
        return with_memory(arguments, lambda memory, path: _list(memory, path, arguments))
    work = {"show": _show, "export": _export, "note": _note, "resolve": _resolve}[what]

    async def one(memory: Memory, _path: Path) -> int:
        found = await find(memory, arguments.id)
        if isinstance(found, BadInput):
            complain(found.message)
            return UNKNOWN
        return work(memory, found, arguments)

    return with_memory(arguments, one, writes=what in ("note", "resolve"))


async def _list(memory: Memory, path: Path, arguments: argparse.Namespace) -> int:
    cases = await memory.cases(arguments.endpoint, arguments.limit)
    if arguments.json:
        print(json.dumps([summary(case) for case in cases], indent=1, ensure_ascii=False))
    elif cases:
        print("\n".join(_row(case) for case in cases))
    if not cases and not unreadable(memory):
        complain(f"no incident is remembered in {path}")
    return OK


def _show(_memory: Memory, case: Case, arguments: argparse.Namespace) -> int:
    print(json.dumps(whole(case), indent=1, ensure_ascii=False) if arguments.json else "\n".join(words(case)))
    return OK


def _export(_memory: Memory, case: Case, arguments: argparse.Namespace) -> int:
    text = json.dumps(whole(case), indent=1, ensure_ascii=False)
    if arguments.out is None:
        print(text)
        return OK
    try:
        with arguments.out.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        complain(f"{arguments.out}: {printable(error.strerror or str(error))}")
        return UNKNOWN
    return OK


def _note(memory: Memory, case: Case, arguments: argparse.Namespace) -> int:
    said = printable(arguments.text.strip(), NOTE_LENGTH)
    if not said:
        complain("an empty note is not kept")
        return UNKNOWN
    memory.put(noted(case, Note(time.time(), person(), said)))
    return OK


def _resolve(memory: Memory, case: Case, arguments: argparse.Namespace) -> int:
    now, who = time.time(), person()
    said = printable(arguments.text.strip(), NOTE_LENGTH)
    applied = [printable(what.strip()) for what in arguments.applied]
    if arguments.grade not in (None, Grade.UNKNOWN.value) and not (applied or case.applied or done(case)):
        complain("--grade judges what was done: say what with --applied")
        return UNKNOWN
    told = "; ".join(part for part in ("resolved", *(f"applied {a}" for a in applied), said) if part)
    over = noted(case, Note(now, who, told))
    if over.incident.state is not IncidentState.RESOLVED:
        ended = replace(
            over.incident, state=IncidentState.RESOLVED, severity=Severity.OK, ended_unix=case.seen_unix
        )
        over = replace(over, incident=ended)
    judged_now = arguments.grade is not None
    memory.put(
        replace(
            over,
            applied=(*case.applied, *(Applied(what, Known.SAID, who, now) for what in applied)),
            grade=Grade(arguments.grade) if judged_now else case.grade,
            graded_by=who if judged_now else case.graded_by,
            outcome=said or case.outcome,
        )
    )
    return OK


def noted(case: Case, note: Note) -> Case:
    """The case with a note and its line in the timeline."""
    incident = case.incident
    told = (*incident.timeline, spoken(note))
    return replace(case, incident=replace(incident, notes=(*incident.notes, note), timeline=told))


def whole(case: Case) -> dict[str, Any]:
    return {"schema": "inferguard.incident/1", **encode(case)}


def summary(case: Case) -> dict[str, Any]:
    """One incident of `incidents --json`."""
    incident = case.incident
    return {
        "incident_id": incident.id,
        "endpoint": incident.endpoint,
        "state": incident.state.value,
        "worst": incident.worst.word,
        "opened_unix": round(incident.opened_unix, 3),
        "ended_unix": None if incident.ended_unix is None else round(incident.ended_unix, 3),
        "cause": case.cause,
        "confidence": None if case.diagnosis is None else round(case.diagnosis.confidence, 3),
        "anomalies": list(incident.anomalies),
        "headline": incident.headline,
        "done": done(case),
        "grade": judged(case).value,
        "proof_level": case.proof.value,
        "recording": case.recording or None,
    }


def _row(case: Case) -> str:
    incident = case.incident
    helped = "" if judged(case) is Grade.UNKNOWN else f"  {judged(case).value.replace('_', ' ')}"
    return (
        f"{moment(incident.opened_unix)}  {incident.id}  {incident.worst.word:<8}  {span(case.lasted_s):<12}"
        f"  {case.cause}{helped}"
    )


def words(case: Case) -> list[str]:
    """One incident, for people."""
    incident, diagnosis = case.incident, case.diagnosis
    lines = [
        f"{incident.id}  {incident.state.value}, {incident.worst.word} at worst"
        + ("" if case.lasted_s is None else f", {span(case.lasted_s)}"),
        f"endpoint  {incident.endpoint}  {case.engine.value} {case.engine_version or ''}".rstrip(),
        f"models    {', '.join(case.models) or '—'}   ({case.proof.value})",
        f"seen      {incident.headline}",
        f"cause     {case.cause}"
        + (f" {diagnosis.confidence:.2f} ({diagnosis.source})" if diagnosis else ""),
    ]
    if diagnosis is not None and diagnosis.ranked:
        lines += [f"          + {condition.text}" for condition in diagnosis.ranked[0].speaks_for]
        lines += [f"          - {condition.text}" for condition in diagnosis.ranked[0].speaks_against]
    lines += [
        f"advice    {a.action_type.value}: {a.reason}" for a in case.advisories if a.superseded_by is None
    ]
    if case.fix is not None and case.fix.changes:
        lines.append("proposed  " + ", ".join(f"{c.flag} {c.proposed}".strip() for c in case.fix.changes))
    lines.append(f"done      {done(case) or 'nothing is known to have been done'}")
    lines.append(
        f"helped    {judged(case).value.replace('_', ' ')}"
        + (f" ({case.graded_by})" if case.graded_by else "")
    )
    if case.recording:
        lines.append(f"pages     {case.recording}")
    lines += [f"{moment(entry.unix)}  {entry.text}" for entry in incident.timeline]
    return lines
