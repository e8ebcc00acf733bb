"""docs/coverage.md says of real pages what the rules do with them, and leaves nothing out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from inferguard_core.coverage.conclusions import BASES, KNOWN_BY, SEEN_AS
from inferguard_core.coverage.kinds import SIGHTS, Sight, Status
from inferguard_core.coverage.page import coverage_page, status_of
from inferguard_core.coverage.ranges import LINES, Line
from inferguard_core.detect.finding import Situation
from inferguard_core.detect.limits import Limits
from inferguard_core.detect.rules import KINDS, RULES
from inferguard_core.diagnose.signatures import SIGNATURES
from inferguard_core.engines.version import parse_version
from inferguard_core.history import History
from inferguard_core.signals import Signal
from inferguard_core.verdict import ActionType
from inferguard_core.window import Window
from tests.core.captured import OURS, page, read

if TYPE_CHECKING:
    from inferguard_core.reading import Reading

NAMED = re.compile(r"(vllm|sglang)-([\d.]+?)(?:-(v[01]))?(?:-dp2)?-(?:rendered|metrics)")
"""A multiprocess server drops what a single one has, which the page says in words."""
CAPTURES = [
    (name, found) for path in sorted(OURS.glob("*.txt")) if (found := NAMED.fullmatch(name := path.stem))
]
AT_WORK = {"swap", "spec_acceptance_drop", "preemption"}
"""Their metrics appear once the feature is on or has first happened, which these pages are not made to show."""


def line_of(found: re.Match[str]) -> Line:
    generation = (found[3] or "").upper()
    return next(line for line in LINES if line.engine == found[1] and line.generation == generation)


def is_blind(kind: str, reading: Reading) -> bool:
    rule = next(rule for rule in RULES if rule.kind == kind)
    history = History()
    history.append(0.0, 0.0, reading)
    assert history.newest is not None
    situation = Situation(reading.engine, 1.0, spellings=reading.spellings, ranks=reading.ranks)
    return bool(rule.find(Window(history, history.newest), Limits(), situation).missing)


def is_covered(found: re.Match[str]) -> bool:
    """Not older than what the page speaks of."""
    version = parse_version(found[2])
    return version is None or version >= line_of(found).first


COVERED = [(name, found) for name, found in CAPTURES if is_covered(found)]


def test_of_our_pages_only_the_oldest_is_beyond_what_is_covered() -> None:
    assert {name for name, found in CAPTURES if not is_covered(found)} <= {"vllm-0.3.3-v0-rendered"}


@pytest.mark.parametrize(("name", "found"), COVERED, ids=[name for name, _ in COVERED])
def test_a_rule_sees_on_a_real_page_what_the_coverage_promises(name: str, found: re.Match[str]) -> None:
    version, line = parse_version(found[2]), line_of(found)
    assert version is not None
    reading = read(page(name), found[2])
    for sight in SIGHTS[2:]:
        promised = status_of(sight, line, version) is not Status.NOT_COVERED
        if sight.kind not in AT_WORK:
            assert not promised or not is_blind(sight.kind, reading), f"{sight.kind} is blind on {name}"
        assert promised or not _has_inputs(sight, reading), f"{sight.kind} sees more of {name} than is said"


def _has_inputs(sight: Sight, reading: Reading) -> bool:
    asked = any(all(s in reading.spellings for s in one) for one in sight.inputs)
    ranked = sight.kind != "rank_imbalance" or bool(reading.ranks)
    return asked and ranked and all(any(s in reading.spellings for s in group) for group in sight.besides)


def test_every_kind_condition_action_and_signal_is_on_the_page() -> None:
    assert sorted(sight.kind for sight in SIGHTS) == sorted(KINDS)
    required = {condition for signature in SIGNATURES.values() for condition in signature.required}
    assert required == {*KNOWN_BY, *SEEN_AS}
    assert {basis.action for basis in BASES} == set(ActionType)
    text = coverage_page()
    for name in (*KINDS, *SIGNATURES, *ActionType, *Signal):
        assert f"| `{name}` |" in text


def test_every_cell_of_a_table_of_the_page_is_filled() -> None:
    rows = [line for line in coverage_page().splitlines() if line.startswith("|")]
    widths = {len(re.split(r"(?<!\\)\|", row)) for row in rows}
    assert widths <= {6, 7, 8, 9}
    for kind in KINDS:
        cells = next(row for row in rows if row.startswith(f"| `{kind}` |")).split("|")[3:6]
        assert all(re.match(r" (detected|approximated|not covered)", cell) for cell in cells)
