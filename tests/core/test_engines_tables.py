"""The tables name every family that the engines define, in its versions; and every row points at families."""

from __future__ import annotations

import json

import pytest

from inferguard_core.engines import sglang, vllm
from inferguard_core.engines.row import Kind
from inferguard_core.engines.table import SGLANG, VLLM
from inferguard_core.engines.version import parse_version
from inferguard_core.signals import SIGNALS, SignalKind
from tests.core.captured import BESIDE

ALL = {"vllm": vllm.FAMILIES, "sglang": sglang.FAMILIES}
TABLES = [VLLM, SGLANG]


def survey(engine: str) -> list[tuple[str, str, str, str, str]]:
    """(name, type, since, until, generation) of every name that the survey of the engines' sources found."""
    path = BESIDE / f"{engine}_metrics.json"
    if not path.exists():
        pytest.skip(f"../shared/{path.name} is not there")
    found = []
    for row in json.loads(path.read_text("utf-8")):
        for name in row["names"]:
            spans = name.get("type_by_version") or {name.get("type"): (name["since"], name["until"])}
            for kind, (since, until) in spans.items():
                # The survey closes a change of type at the newest version it saw; the name is still there.
                last = "" if until in (None, "0.5.23") else until
                found.append((name["name"], kind or "", since, last, name.get("engine", "")))
    return found


@pytest.mark.parametrize("engine", ALL)
def test_every_surveyed_name_is_in_the_table_with_its_versions(engine):
    spans = {(f.name, s.since, s.until, s.generation) for f in ALL[engine] for s in f.spans}
    assert {(n, since, until, gen) for n, _, since, until, gen in survey(engine)} == spans


@pytest.mark.parametrize("engine", ALL)
def test_every_surveyed_name_has_its_type(engine):
    kinds: dict[tuple[str, str], Kind] = {(f.name, s.since): f.kind for f in ALL[engine] for s in f.spans}
    for name, kind, since, _, _ in survey(engine):
        mine = kinds[name, since]
        # The survey types `_info` families as they are exposed and leaves http_*, process_* and python_* open.
        assert not kind or mine is Kind.INFO or mine.value == kind, name


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.engine)
def test_rows_pick_from_families_that_exist(table):
    picks = [p for r in table.rows.values() for c in r.choices for p in c.picks]
    assert picks
    assert [p.name for p in picks if p.name not in table.by_name and p.name not in table.families] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.engine)
def test_a_signal_is_a_histogram_exactly_where_its_families_are(table):
    for row in table.rows.values():
        for choice in row.choices:
            kinds = {table.by_name[p.name].kind for p in choice.picks if p.name in table.by_name}
            assert (Kind.HISTOGRAM in kinds) == (SIGNALS[row.signal].kind is SignalKind.HISTOGRAM), row.signal


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.engine)
def test_plain_ids_are_unique_and_no_signal(table):
    ids = [(f.plain_id, f.kind) for f in table.plain]
    assert len(ids) == len(set(ids))
    assert not {i for i, _ in ids} & {s.value for s in SIGNALS}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("0.33.0", (0, 33, 0, 0)),
        ("v0.9.1", (0, 9, 1, 0)),
        ("0.5.1.post3", (0, 5, 1, 3)),
        ("0.11.1rc2.dev45+gabc", (0, 11, 1, 0)),
        ("0.7", (0, 7, 0, 0)),
        ("<=0.3.3", (0, 0, 0, 0)),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_versions_are_understood(text, version):
    assert parse_version(text) == version
