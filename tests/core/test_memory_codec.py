"""Every record that a case holds survives JSON, and what is no record is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferguard_core.followup import Grade
from inferguard_core.frame import Incident, IncidentState, Severity
from inferguard_core.memory.case import Case
from inferguard_core.memory.codec import _hints, decode, encode

OPEN = Incident("gpu-07:8000/1", "http://gpu-07:8000", IncidentState.OPEN, Severity.WARNING, Severity.CRITICAL,
                1.0, 2.0, None, ("kv_high",), 0, "kv_high: 97 %")  # fmt: skip


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that a record is made of."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is object:
        return st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
    if origin in (tuple, Sequence):
        return st.lists(values(inner[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(st.text(max_size=5), values(inner[1]), max_size=2)
    if inner:
        return st.one_of(*(values(one) for one in inner))
    if hint is type(None):
        return st.none()
    if hint is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if hint in (str, int, bool):
        return st.from_type(hint)
    if hasattr(hint, "__dataclass_fields__"):
        hints = _hints(hint)
        return st.builds(hint, **{f.name: values(hints[f.name]) for f in fields(hint)})
    if issubclass(hint, tuple):
        return st.builds(hint, *(values(one) for one in _hints(hint).values()))
    return st.sampled_from(hint)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(st.data())
def test_a_case_of_any_content_comes_back_from_json_as_it_was(data: st.DataObject) -> None:
    case = data.draw(values(Case))
    assert decode(Case, json.loads(json.dumps(encode(case)))) == case


def test_a_field_that_an_older_store_did_not_have_takes_its_default() -> None:
    stored = encode(Case(OPEN, 3.0, outcome="rolled back", grade=Grade.HELPED))
    del stored["outcome"], stored["incident"]["notes"]
    assert decode(Case, stored) == Case(OPEN, 3.0, grade=Grade.HELPED)


def test_a_field_of_a_newer_store_is_left_out() -> None:
    assert decode(Case, {**encode(Case(OPEN, 3.0)), "mood": "good"}) == Case(OPEN, 3.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seen_unix": "late"}, "Case.seen_unix: float expected, not 'late'"),
        ({"grade": "splendid"}, "Case.grade: Grade expected, not 'splendid'"),
        ({"incident": []}, "Case.incident: Incident expected, not '[]'"),
        ({"anomalies": [{}]}, "Case.anomalies[0]: kind is missing"),
    ],
)
def test_what_is_no_case_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        decode(Case, {**encode(Case(OPEN, 3.0)), **change})
    assert str(refused.value) == said
