"""What a model says is shown only where facts and rules carry it; everything else is struck out with a reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_brain.context import Context, read
from inferguard_brain.facts import Fact
from inferguard_brain.numerals import numerals, plain, supports
from inferguard_brain.reason import Case, refined
from inferguard_brain.verify import verify
from tests.brain.incident import RANKED, honest, incident


def case(**more: Any) -> Case:
    found = read(incident(**more))
    assert isinstance(found, Context)
    return Case.of(found)


CASE = case()
IDS = {fact.name: fact.id for fact in CASE.facts.values()}


def said(text: str, *names: str) -> dict[str, Any]:
    return {"cause": "unclear", "why": [{"text": text, "facts": [IDS[n] for n in names]}]}


def test_an_honest_answer_is_shown_with_its_facts() -> None:
    checked = verify(honest(IDS), CASE.rules)
    assert checked.struck == ()
    assert checked.cause == "long_contexts"
    assert checked.statements == (
        "KV usage stands at 97.9 % [kv_usage now 97.9%]",
        "throttle_concurrency: throttle to 44 [throttle_concurrency target_concurrency 44]",
        "--max-num-seqs 72: fewer at once [kv_usage now 97.9%]",
    )


RATE = "preemption preemption_rate"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("2.4 requests are preempted each second", [RATE]),
        ("about 143 preemptions per minute", [RATE]),
        ("2.38/s over 60 s", [RATE]),
        ("preemption began 190 s ago", ["preemption for"]),
        ("preemption began 3.2 minutes ago", ["preemption for"]),
        ("KV is 98 % full", ["kv_usage now"]),
        ("KV usage 0.979", ["kv_usage now"]),
        ("38 wait (p95 is not told)", ["waiting now"]),
        (f"{IDS[RATE]} shows 2.38", [RATE]),
        (
            "run 44 instead of 58 at once",
            ["throttle_concurrency target_concurrency", "throttle_concurrency running_now"],
        ),
    ],
)
def test_what_rounding_explains_is_true(text: str, names: list[str]) -> None:
    checked = verify(said(text, *names), CASE.rules)
    assert len(checked.statements) == 1, checked.struck


@pytest.mark.parametrize(
    ("text", "names", "reason"),
    [
        ("97.9 % of the pool is in use", [RATE], "97.9 % is not in what it cites"),
        ("KV is 95 % full", ["kv_usage now"], "95 %"),
        ("2 preemptions a second", [RATE], "2"),
        ("0 preemptions", [RATE], "0 is not"),
        ("the queue doubled", ["waiting now"], "doubled"),
        ("three dozen wait", ["waiting now"], "three"),
        ("the queue is \uff13\uff19 long", ["waiting now"], "39 is not"),
        ("the queue is ٣٩ long", ["waiting now"], "is not in"),
        ("Ⅻ requests wait", ["waiting now"], "XII is not in"),
        ("½ of them wait", ["waiting now"], "is not in"),
        ("nothing to cite", [], "cites no fact"),
        ("an H100 is too small", ["kv_usage now"], "H100"),
        ("vLLM 0.99.9 fixed it", ["kv_usage now"], "0.99.9"),
        ("restart the engine", ["kv_usage now"], "restart"),
        ("drain it and kill the worker", ["kv_usage now"], "drain"),
        ("flush the cache", ["kv_usage now"], "flush"),
        ("quarantine the client", ["kv_usage now"], "quarantine"),
        ("set --swap-space higher", ["kv_usage now"], "--swap-space"),
        ("see http://evil.example", ["kv_usage now"], "command or an address"),
        ("run `reboot now`", ["kv_usage now"], "command or an address"),
        ("it is an engine_stalled case", ["kv_usage now"], "engine_stalled"),
        ("r\u0435start it", ["kv_usage now"], "letters that these checks cannot read"),
        ("x" * 400, ["kv_usage now"], "longer than"),
    ],
)
def test_what_nothing_carries_is_struck_out_with_the_reason(text: str, names: list[str], reason: str) -> None:
    checked = verify(said(text, *names), CASE.rules)
    assert checked.statements == ()
    assert reason in checked.struck[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"cause": "engine_stalled"}, "the rules did not rank it"),
        ({"cause": 7}, "the rules did not rank it"),
        (
            {"actions": [{"action_type": "drain_and_recycle", "text": "x", "facts": ["F1"]}]},
            "do not advise it",
        ),
        ({"actions": ["throttle_concurrency"]}, "do not advise it"),
        ({"flags": [{"flag": "--swap-space", "value": "4", "text": "x", "facts": ["F1"]}]}, "no such flag"),
        (
            {"flags": [{"flag": "--max-num-seqs", "value": "1", "text": "x", "facts": ["F1"]}]},
            "did not compute",
        ),
        ({"why": ["text"]}, "not a statement"),
        ({"why": [{"text": "x", "facts": ["F9999"]}]}, "cites no fact"),
        ({"why": [{"text": ["x"], "facts": {}}]}, "not a statement"),
    ],
)
def test_causes_actions_and_flags_are_those_of_the_rules(answer: dict[str, Any], reason: str) -> None:
    checked = verify({"cause": "unclear", **answer}, CASE.rules)
    assert checked.statements == ()
    assert any(reason in line for line in checked.struck)


NASTY = st.sampled_from(
    ["restart", "flush the cache", "97.9 %", "12", "kv_usage", "F1", "44", "--max-num-seqs", "kill -9", "half", "③",
     "engine_stalled", "drain_and_recycle", "http://a", "\x1b[2J", "[/]", "p95", "1e3", "$(x)", "drain", "\uff11\uff12"]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=40), st.lists(NASTY, max_size=6).map(" ".join))
FACTS = st.lists(st.one_of(st.sampled_from(list(CASE.facts)), st.text(max_size=5)), max_size=5)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
STATEMENT = st.fixed_dictionaries(
    {"text": TEXT, "facts": FACTS, "flag": TEXT, "value": TEXT, "action_type": st.one_of(TEXT, st.sampled_from(
        ["throttle_concurrency", "drain_and_recycle"]))}
)  # fmt: skip
ANSWER = st.one_of(
    st.dictionaries(st.sampled_from(["cause", "why", "actions", "flags"]), JSON),
    st.fixed_dictionaries(
        {"cause": TEXT, "why": st.lists(STATEMENT, max_size=4), "actions": st.lists(STATEMENT, max_size=4),
         "flags": st.lists(STATEMENT, max_size=4)}
    ),
)  # fmt: skip
FORBIDDEN = re.compile(r"restart|flush|kill|drain|engine_stalled|http|\x1b|\$\(", re.IGNORECASE)


@given(ANSWER)
def test_whatever_a_model_says_nothing_unverified_is_shown_and_no_forbidden_action(
    answer: dict[str, Any],
) -> None:
    """An oracle of its own: each number of a shown statement is, by value, one of the cited facts, which follow it."""
    found = refined(CASE, answer, [], "direct", [])
    assert found["advisories"] == CASE.found["advisories"], "the calculation's answer stays"
    if found["diagnosis"] is not None:
        assert found["diagnosis"]["cause"] in {str(r["cause"]) for r in RANKED}
    values = [f.value for f in CASE.facts.values()] + [f.window_s or 0.0 for f in CASE.facts.values()]
    values += [float(f.n) for f in CASE.facts.values() if f.n is not None]
    for line in found["narrative"]:
        words, _, cited = line.rpartition(" [")
        assert cited.rstrip("]"), "every statement carries its facts"
        assert not FORBIDDEN.search(words)
        for digits in re.findall(
            r"\d+(?:\.\d+)?", re.sub(r"\bF\d+\b|--max-num-seqs 72|p\d\d|fp8", " ", plain(words))
        ):
            close = [
                v
                for v in values
                for s in (1, 60, 100, 1 / 60, 1e-3, 1e3, 1 / 3600)
                if _near(abs(v) * s, digits)
            ]
            assert close, (digits, line)


def _near(value: float, digits: str) -> bool:
    return abs(value - float(digits)) <= max(0.06 * abs(value), 1e-9)


@given(st.floats(0.001, 1e9), st.integers(2, 6))
def test_a_number_is_supported_by_itself_rounded_and_by_no_other(value: float, digits: int) -> None:
    shown = f"{value:.{digits}g}"
    (numeral,) = numerals(shown)
    close = abs(float(shown) - value) <= 0.1 * value
    assert supports(Fact("F1", "x", value, "1"), numeral) is close
    assert not supports(Fact("F1", "x", value * 1.25, "1"), numeral)
