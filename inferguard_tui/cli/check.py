"""Try the rules on recordings: when each would have fired, how early, and how long for nothing.

`*.labels.json` beside a recording says what was wrong when; without it there is no lead and nothing is false.
--rules FILE tries other limits (TOML, the names of [limits] in docs/settings.md) against those in force.
--export prometheus-rules writes the limits as alerting rules for Prometheus; it needs no recording.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferguard_core.check.labels import labels_path, read_labels
from inferguard_core.check.trial import RuleTrial, Trial, trial
from inferguard_core.counted import counted
from inferguard_core.poll import ProofLevel
from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import RecordingFile
from inferguard_tui.cli.arguments import add_config, complain, settings_from
from inferguard_tui.cli.exits import OK, UNKNOWN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inferguard_core.check.labels import Episode
    from inferguard_core.detect.limits import Limits

SCHEMA = "inferguard.check/1"
_TABLE = "limits"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="*", metavar="RECORDING", help="recordings (*.jsonl.gz)")
    parser.add_argument("--rules", type=Path, metavar="FILE", help="other limits to try (TOML)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--export", choices=("prometheus-rules",), help="write the limits as a rule file, on stdout"
    )
    add_config(parser)


@dataclass(frozen=True, slots=True)
class Checked:
    """One recording under the limits in force, and under those that are tried."""

    path: Path
    endpoint: str
    labelled: bool
    now: Trial
    tried: Trial | None


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    if settings is None:
        return UNKNOWN
    tried = None if arguments.rules is None else _tried(arguments)
    if isinstance(tried, BadInput):
        complain(tried.message)
        return UNKNOWN
    if arguments.export:
        from inferguard_core.check.promrules import prometheus_rules

        print(prometheus_rules(tried or settings.limits), end="")
        return OK
    if not arguments.files:
        complain("check needs a recording (inferguard record makes one), or --export prometheus-rules")
        return UNKNOWN
    results = [_checked(path, settings.limits, tried) for path in arguments.files]
    wrong = [r for r in results if isinstance(r, BadInput)]
    complain(*(w.message for w in wrong))
    right = [r for r in results if isinstance(r, Checked)]
    if arguments.json:
        print(json.dumps({"schema": SCHEMA, "recordings": [_json(r) for r in right]}, ensure_ascii=False))
    elif right:
        print("\n\n".join(text(r) for r in right))
    return UNKNOWN if wrong else OK


def _tried(arguments: argparse.Namespace) -> Limits | BadInput:
    """The limits in force with those of the file in their place, checked as settings are."""
    from inferguard_core.settings import Settings, SettingsProblem
    from inferguard_core.settings.catalogue import catalogue
    from inferguard_core.settings.loading import load

    path: Path = arguments.rules
    try:
        entry = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        return BadInput(f"{path}: {printable(error.strerror or str(error))}")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return BadInput(f"{path}: not TOML: {printable(str(error), 80)}")
    given = entry.get(_TABLE, entry)
    rows = catalogue(Settings.tables)
    for name in given:
        if f"{_TABLE}.{name}" not in rows:
            return BadInput(f"{path}: {printable(str(name), 60)}: no such limit; docs/settings.md lists them")
    loaded = load({f"{_TABLE}.{name}": value for name, value in given.items()}, arguments.config)
    if isinstance(loaded, SettingsProblem):
        return BadInput(f"{path}: {'; '.join(loaded.messages)}")
    return loaded.limits


def _checked(path: Path, limits: Limits, tried: Limits | None) -> Checked | BadInput:
    opened = RecordingFile.open(path)
    if isinstance(opened, BadInput):
        return opened
    episodes = read_labels(labels_path(path))
    if isinstance(episodes, BadInput):
        return episodes
    now = _trial(opened, limits, episodes)
    complain(*opened.warnings)
    if not now.polls:
        return BadInput(f"{path}: holds no poll")
    other = None if tried is None else _trial(opened, tried, episodes)
    return Checked(path, opened.header.endpoint, episodes is not None, now, other)


def _trial(opened: RecordingFile, limits: Limits, episodes: Sequence[Episode] | None) -> Trial:
    return trial(opened.header, opened.polls(), limits, ProofLevel.RECORDED, episodes)


def _json(checked: Checked) -> dict[str, Any]:
    before = {rule.kind: rule.to_json() for rule in checked.now.rules}
    rules = [rule.to_json() for rule in (checked.tried or checked.now).rules]
    if checked.tried is not None:
        rules = [{**rule, "in_force": before[rule["kind"]]} for rule in rules]
    return {
        "file": str(checked.path),
        "endpoint": checked.endpoint,
        "engine": checked.now.engine,
        "polls": checked.now.polls,
        "seconds": round(checked.now.seconds, 3),
        "labelled": checked.labelled,
        "rules": rules,
    }


def text(checked: Checked) -> str:
    """A table of the rules that fired, or should have; what is silent in both is one line."""
    shown = checked.tried or checked.now
    lines = [
        f"{checked.path.name}  {shown.engine}  {counted(shown.polls, 'poll')} over {shown.seconds:.0f} s"
        + ("" if checked.labelled else "; no labels beside it"),
        f"  {'rule':<24} {'first fired':>12} {'times':>6} {'active':>9} {'lead':>9} {'false':>9}",
    ]
    before = {rule.kind: rule for rule in checked.now.rules}
    silent, blind = [], []
    for rule in shown.rules:
        known = before[rule.kind]
        if rule.firings or rule.missed or known.firings:
            lines.append(f"  {_row(rule.kind, rule)}")
            if checked.tried is not None and _cells(known) != _cells(rule):
                lines.append(f"  {_row('  in force', known)}")
        elif rule.blind:
            blind.append(rule.kind)
        else:
            silent.append(rule.kind)
    lines += [f"  silent: {', '.join(silent)}"] if silent else []
    lines += [f"  blind, for want of input: {', '.join(blind)}"] if blind else []
    return "\n".join(lines)


def _row(name: str, rule: RuleTrial) -> str:
    return f"{name:<24} " + " ".join(
        f"{cell:>{width}}" for cell, width in zip(_cells(rule), (12, 6, 9, 9, 9), strict=True)
    )


def _cells(rule: RuleTrial) -> tuple[str, ...]:
    """First firing, how often, minutes active, lead over the first episode it met, minutes false."""
    first = f"{rule.firings[0].start:.0f} s" if rule.firings else "never"
    lead = f"{rule.lead_s[0]:+.0f} s" if rule.lead_s else ("missed" if rule.missed else "—")
    false = "—" if rule.false_s is None else f"{rule.false_s / 60:.1f} min"
    return first, str(len(rule.firings)), f"{rule.active_s / 60:.1f} min", lead, false
