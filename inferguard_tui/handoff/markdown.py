"""An incident as a page of Markdown. Text from engines, models and people is escaped: none of it is markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui.formatting import duration, quantity
from inferguard_tui.handoff.facts import (
    diagnosis_of,
    evidence_of,
    restart_words,
    stamp,
    state_words,
    verdict_words,
    what_is_watched,
    window_words,
)
from inferguard_tui.incident.reasons import diff_lines
from inferguard_tui.incident.told import GRADES, outcome_words, timeline
from inferguard_tui.panels.advisories import change, standing
from inferguard_tui.panels.causes import cause_words
from inferguard_tui.panels.remedy import impact_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inferguard_core.followup import Execution, Similar
    from inferguard_core.frame import EndpointFrame, Incident
    from inferguard_core.verdict import Advisory, CauseScore, Diagnosis, Evidence, Fix

_MARKUP = re.compile(
    r"([\\`*_{}\[\]#!|~<>&@$^]|(?<=:)/(?=/)|(?<=www)\.|^[-+=]|(?<=^\d)[.)](?=\s|$)|(?<=^\d\d)[.)](?=\s|$))",
    re.IGNORECASE,
)
"""What Markdown, its usual extensions or HTML inside it act on; a bare address would become a link."""
_NAME = re.compile(r"[\w:{}=,+.() -]+", re.ASCII)
_NONE = ["none"]


def escaped(text: str, limit: int = 2000) -> str:
    """`text` on one line that no Markdown renderer acts on."""
    return _MARKUP.sub(r"\\\1", printable(text, limit))


def _code(text: str) -> str:
    """A name to be copied as it stands; anything but a name is escaped as text."""
    return f"`{text}`" if _NAME.fullmatch(text) else escaped(text)


def incident_markdown(endpoint: EndpointFrame, incident: Incident, unix: float) -> str:
    """The whole incident as of `unix`: verdict, evidence, causes, fix, course, what was done, what is alike."""
    diagnosis = diagnosis_of(endpoint, incident)
    blocks = [
        [f"# Incident {escaped(incident.id)}"],
        _items(
            [
                what_is_watched(endpoint),
                state_words(incident, unix),
                f"Acknowledged by {incident.acknowledged_by}"
                if incident.acknowledged_by
                else "Not acknowledged",
                f"Restarts: {restart_words(endpoint, incident)}",
                f"Written {stamp(unix)}, source {endpoint.proof.value}, polled every {endpoint.interval_s:g} s",
            ]
        ),
        ["## Verdict", "", escaped(verdict_words(endpoint, incident))],
        ["## Evidence", "", *_evidence(evidence_of(endpoint, incident))],
        *_concluded(endpoint, diagnosis),
        ["## Timeline", "", *_timeline(endpoint, incident)],
        ["## Done", "", *_items(map(_done, _own(endpoint.executions, incident)))],
        ["## Notes", "", *_items(f"{stamp(n.unix)}, {n.author}: {n.text}" for n in incident.notes)],
        ["## Similar past incidents", "", *_items(map(_similar, endpoint.similar))],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _items(texts: Iterable[str]) -> list[str]:
    return [f"- {escaped(text)}" for text in texts] or _NONE


def _own(executions: Sequence[Execution], incident: Incident) -> list[Execution]:
    return [e for e in executions if e.incident_id == incident.id]


def _evidence(evidence: Sequence[Evidence]) -> list[str]:
    if not evidence:
        return _NONE
    rows = ["| signal | exposed name | baseline | limit | value | window |", "|---|---|---:|---:|---:|---|"]
    for item in evidence:
        against = [quantity(v, item.unit) if v is not None else "" for v in (item.baseline, item.threshold)]
        cells = [item.signal, item.source, *against, quantity(item.value, item.unit), window_words(item)]
        signal, name, *rest = cells
        rows.append(f"| {' | '.join((_code(signal), _code(name), *map(escaped, rest)))} |")
    return rows


def _concluded(endpoint: EndpointFrame, diagnosis: Diagnosis | None) -> list[list[str]]:
    """What the rules or a model concluded for this incident; nothing for one they did not conclude on."""
    if diagnosis is None:
        return []
    blocks = [["## Causes", "", *(row for cause in diagnosis.ranked for row in _cause(cause))]]
    if diagnosis.wrong_lever is not None:
        lever = diagnosis.wrong_lever
        blocks.append(["## What would not help", "", escaped(f"{lever.lever}: {lever.because}")])
    if endpoint.fix is not None:
        blocks.append(["## Fix", "", *_fix(endpoint.fix)])
    blocks.append(["## Advice", "", *_items(map(_advice, standing(endpoint)))])
    if endpoint.impact is not None:
        blocks.append(["## Impact", "", *_items(impact_words(endpoint.impact))])
    return blocks


def _cause(cause: CauseScore) -> list[str]:
    rows = [f"- **{escaped(cause_words(cause.cause))}** {cause.confidence:.2f}"]
    rows += [f"  - for: {escaped(c.text)}" for c in cause.speaks_for]
    rows += [f"  - {'against' if c.holds else 'not so'}: {escaped(c.text)}" for c in cause.speaks_against]
    return rows + [f"  - not known here: {escaped(name)}" for name in cause.unknown]


def _fix(fix: Fix) -> list[str]:
    """The difference in a fence; printable text holds no line break, so nothing can leave it."""
    rows = []
    if fix.changes:
        diff = [row.replace("```", "'''") for each in fix.changes for row in diff_lines(each)]
        rows += ["```diff", *diff, "```", ""]
    told = (("Why", fix.why), ("Effect", fix.effect), ("Cost", fix.cost), ("Check", fix.check))
    return (
        rows + _items(f"{label}: {text}" for label, text in told if text) + _items_of("Instead", fix.instead)
    )


def _items_of(label: str, texts: Sequence[str]) -> list[str]:
    return [f"- {escaped(f'{label}: {text}')}" for text in texts]


def _advice(advisory: Advisory) -> str:
    sure = f"{advisory.confidence:.2f}{'' if advisory.calibrated else ', uncalibrated'}"
    what = f"{advisory.action_type.value} {change(advisory.parameters)}".rstrip()
    return f"{what} ({sure}): {advisory.reason}"


def _timeline(endpoint: EndpointFrame, incident: Incident) -> list[str]:
    entries = timeline(incident, endpoint.executions)
    rows = ["| time | after onset | who | what |", "|---|---:|---|---|"]
    for entry in entries:
        after = duration(entry.unix - incident.onset_unix)
        rows.append(f"| {' | '.join(map(escaped, (stamp(entry.unix), after, entry.by, entry.text)))} |")
    return rows if entries else _NONE


def _done(execution: Execution) -> str:
    grade = "" if execution.grade is None else f" Grade: {GRADES[execution.grade][0]}."
    checked = f" {'; '.join(execution.verification)}." if execution.verification else ""
    what = f"{execution.action_type.value} ({execution.mode}) by {execution.requested_by}"
    return f"{stamp(execution.requested_unix)}, {what}: {outcome_words(execution)}.{grade}{checked}"


def _similar(past: Similar) -> str:
    done = f" Done: {past.done}: {GRADES[past.grade][0]}." if past.done else ""
    why = f" Alike: {'; '.join(past.why)}." if past.why else ""
    return f"{past.score:.2f} {past.incident_id}, {cause_words(past.cause)}: {past.headline}.{why}{done}"
