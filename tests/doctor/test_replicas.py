"""Replicas that are alike share a card; what is different, doubtful or down is named by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inferguard_tui.doctor.check import Check, State
from inferguard_tui.doctor.endpoints import described
from inferguard_tui.doctor.replicas import NAMES_SHOWN, told_together
from inferguard_tui.simulator.launch import launched
from tests.e2e.test_commands import free_port, run

if TYPE_CHECKING:
    from pathlib import Path

FACTS: dict[str, Any] = {
    "engine": "vllm",
    "engine_version": "0.32.0",
    "models": ["gpt-oss-120b"],
    "proof_level": "live",
    "read": {"kv_usage": "vllm:kv_cache_usage_perc", "waiting": "vllm:num_requests_waiting"},
    "not_read": {"swapped": {"state": "absent", "remedy": ""}},
    "blind": [{"rule": "swap", "missing": "swapped", "remedy": ""}],
    "poll_ms": 4.0,
}
LINE = "blind: swap: swapped not exported"


def card(name: str, **differs: Any) -> Check:
    facts = {**FACTS, **differs}
    return Check("endpoint", name, State.OK, described(facts), (LINE,), facts)


def clock(name: str, skew_s: float | None, state: State = State.OK) -> Check:
    facts = {} if skew_s is None else {"skew_s": skew_s}
    return Check("clock", name, state, f"off by {skew_s}", facts=facts)


def names(checks: list[Check]) -> list[str]:
    return [check.name for check in checks]


def test_replicas_of_one_dialect_share_a_card() -> None:
    told = told_together(
        [card("a"), card("b", poll_ms=21.4), card("c", models=["other"]), card("d", poll_ms=None)]
    )
    assert names(told) == ["4 replicas: a, b, c, d"]
    assert told[0].said == (
        "vLLM 0.32.0, gpt-oss-120b, other; 2 of 3 signals read, 1 rule blind, 4 to 21 ms a poll"
    )
    assert told[0].more == (LINE,)


def test_one_alone_is_told_as_it_is() -> None:
    alone = [card("a"), clock("a", 0.4)]
    assert told_together(alone) == alone


def test_what_differs_is_named_by_itself() -> None:
    alike = [card("a"), card("b")]
    doubtful = replace(card("c"), state=State.WARNING, more=(LINE, "doubtful: 2 ranks on one page"))
    others = [
        card("d", engine_version="0.31.0"),
        card("e", engine="sglang"),
        card("f", read={**FACTS["read"], "waiting": "vllm:num_waiting"}),
        card("g", blind=[]),
        doubtful,
    ]
    assert names(told_together([*others, *alike])) == ["d", "e", "f", "g", "c", "2 replicas: a, b"]


def test_endpoints_that_are_down_are_never_joined() -> None:
    down = [Check("endpoint", name, State.UNKNOWN, "refused the connection") for name in ("a", "b")]
    assert told_together(down) == down


def test_clocks_that_agree_share_a_line_with_the_furthest_of_them() -> None:
    told = told_together(
        [
            *(card("a"), clock("a", 0.2), card("b"), clock("b", -3.0)),
            *(card("c"), clock("c", 90.0, State.WARNING), card("d"), clock("d", None)),
            Check("cloud", "LLM", State.OFF, "not set up"),
        ]
    )
    assert [(check.part, check.name, check.said) for check in told[1:]] == [
        ("clock", "2 endpoints", "off by -3.0"),
        ("clock", "c", "off by 90.0"),
        ("clock", "d", "off by None"),
        ("cloud", "LLM", "not set up"),
    ]


def test_of_very_many_some_are_named_and_the_rest_counted() -> None:
    (told,) = told_together([card(f"gpu-{n:03}") for n in range(200)])
    assert told.name.startswith("200 replicas: gpu-000, gpu-001, ")
    shown = told.name.count("gpu-")
    assert shown < NAMES_SHOWN
    assert told.name.endswith(f", and {200 - shown} more")


def test_the_command_joins_in_words_and_not_in_json(tmp_path: Path) -> None:
    down = f"127.0.0.1:{free_port()}"
    settings = {"INFERGUARD_STATE_DIR": str(tmp_path / "state")}
    with launched("healthy", "vllm", 3, 1) as urls:
        words = run("doctor", *urls, down, cwd=tmp_path, **settings)
        found = run("doctor", "--json", *urls, down, cwd=tmp_path, **settings)
    cards = [line for line in words.stdout.splitlines() if line[9:18] == "endpoint "]
    assert len(cards) == 2
    hosts = [url.removeprefix("http://") for url in urls]
    assert f" 3 replicas: {', '.join(hosts)}: vLLM 0.32.0, " in cards[0]
    assert cards[1].startswith("UNKNOWN")
    assert down in cards[1]
    assert words.stdout.count("blind: swap") == 1
    clocks = [line for line in words.stdout.splitlines() if line[9:18].strip() == "clock"]
    assert len(clocks) == 1
    checks = json.loads(found.stdout)["checks"]
    assert [check["name"] for check in checks if check["part"] == "endpoint"] == [*hosts, down]
    assert words.returncode == found.returncode == 3
