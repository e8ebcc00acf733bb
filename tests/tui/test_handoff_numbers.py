"""Which numbers a hand-off card takes along, and how a page shows their names."""

from __future__ import annotations

from dataclasses import replace

from inferguard_core.verdict import Evidence
from inferguard_tui.handoff.card import EVIDENCE_MOST, card_lines
from inferguard_tui.handoff.markdown import incident_markdown
from tests.tui import followups, frames
from tests.tui.frames import NOW

HANDLED = followups.handled()


def number(signal: str, limit: float = 1.0, source: str = "vllm:x") -> Evidence:
    return Evidence(signal, 2.0, "requests", limit, None, 60.0, None, source)


def ill(*evidence: tuple[Evidence, ...]) -> list[str]:
    """The card's numbers for anomalies with these."""
    troubles = tuple(
        frames.anomaly(f"kind_{n}", frames.Severity.WARNING, "x", 10, evidence=each)
        for n, each in enumerate(evidence)
    )
    rows = card_lines(replace(HANDLED, anomalies=troubles), HANDLED.incident, NOW)
    return [row.split()[0] for row in rows if row.startswith("  ")]


def test_every_anomaly_has_a_number_before_one_has_two() -> None:
    pool = tuple(number(f"pool_{n}") for n in range(9))
    assert ill(pool, (number("queue"),), (number("ttft"),))[:5] == [
        "pool_0",
        "queue",
        "ttft",
        "pool_1",
        "pool_2",
    ]


def test_a_signal_stands_once_on_a_card_whatever_its_limits() -> None:
    told = ill((number("usage", 0.85), number("usage", 0.98)), (number("usage", 0.9), number("queue")))
    assert told.count("usage") == 1
    assert "queue" in told
    assert len(told) <= EVIDENCE_MOST


def test_the_card_has_room_for_the_fix() -> None:
    numbers = tuple(number(f"s{n}") for n in range(30))
    many = (frames.anomaly("a", frames.Severity.WARNING, "x", 10, evidence=numbers),)
    rows = card_lines(replace(HANDLED, anomalies=many), HANDLED.incident, NOW)
    assert any(row.startswith("fix: ") and "--max-num-seqs 256 → 44" in row for row in rows)


def test_exposed_names_on_a_page_can_be_copied_and_odd_ones_are_no_markup() -> None:
    assert HANDLED.incident is not None
    odd = frames.anomaly(
        "odd",
        frames.Severity.WARNING,
        "x",
        10,
        evidence=(number("plain", source="sglang:a_b{mode=c}"), number("hostile", source="a`|<b>")),
    )
    page = incident_markdown(replace(HANDLED, anomalies=(odd,)), HANDLED.incident, NOW)
    assert "| `plain` | `sglang:a_b{mode=c}` |" in page
    assert r"a\`\|\<b\>" in page
