"""What is handed over stands alone: numbers with two values and raw names, and nothing in it is markup."""

from __future__ import annotations

import base64
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.followup import Note
from inferguard_core.frame import IncidentEntry, RawSignal
from inferguard_core.poll import EndpointFacts, Poll
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import RecordingFile
from inferguard_tui.app import InferGuardApp
from inferguard_tui.handoff.card import LINES, card_lines, card_text
from inferguard_tui.handoff.exports import ENDPOINTS_MOST, Exports
from inferguard_tui.handoff.files import plain_name, write_page
from inferguard_tui.handoff.markdown import escaped, incident_markdown
from inferguard_tui.screens.subject import NO_DESK
from tests.tui import conclusions, followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.figures import NOW
from tests.tui.harness import UNICODE, PushedFeed, rows, settled

if TYPE_CHECKING:
    from pathlib import Path

HANDLED = followups.handled()
URL = "http://gpu-01:8000"


def card(**changes: object) -> str:
    endpoint = replace(HANDLED, **changes)
    return card_text(endpoint, endpoint.incident, NOW)


def test_the_card_says_verdict_numbers_restarts_and_what_was_tried() -> None:
    told = card()
    for part in (
        "InferGuard hand-off, 2023-11-14 22:13:20 UTC",
        "gpu-01:8000 · vLLM 0.32.0 · openai/gpt-oss-120b",
        "CRITICAL open 3 m 12 s, from 2023-11-14 22:10:08 UTC",
        "verdict: KV exhausted by demand (kv_exhausted, 0.86, rules)",
        "preemptions [vllm:num_preemptions_total]: limit 2 -> 144, over 60 s",
        "kv_usage [vllm:kv_cache_usage_perc]: limit 90.0% -> 97.9%, over 30 s",
        "would not help: more sequences (58 of 256 run; KV is the cap)",
        "restarts: none in this incident",
        "tried: throttle_concurrency by kim at 2023-11-14 22:10:50 UTC: applied; helped",
        "on it: kim",
        "note by kim at 2023-11-14 22:11:20 UTC: gateway limited to 44",
    ):
        assert part in told


def test_a_card_is_never_longer_than_twenty_lines() -> None:
    many = tuple(
        frames.anomaly(
            f"kind_{n}",
            frames.Severity.WARNING,
            "x",
            10,
            evidence=(replace(conclusions.KV_HELD, signal=f"s{n}"),),
        )
        for n in range(30)
    )
    executions = tuple(followups.execution(id=f"e{n}") for n in range(9))
    lines = card_lines(replace(HANDLED, anomalies=many, executions=executions), HANDLED.incident, NOW)
    assert len(lines) <= LINES
    assert any(line.startswith("restarts:") for line in lines)
    assert sum(line.startswith("tried:") for line in lines) == 3


def test_a_card_without_an_incident_tells_the_state() -> None:
    told = card_text(frames.endpoint(), None, NOW)
    assert "OK: nothing wrong is seen" in told
    assert len(told.splitlines()) < LINES


def test_restarts_are_told_where_they_were_seen() -> None:
    assert HANDLED.incident is not None
    again = replace(HANDLED.incident, anomalies=("engine_restart", "preemption"))
    raw = (RawSignal("process_start", "process_start_time_seconds", NOW - 60),)
    told = card(incident=again, incidents=(again,), raw=raw)
    assert "restarts: one in this incident; 1 of 1 incident of this session" in told
    assert "process runs since 2023-11-14 22:12:20 UTC" in told


def test_a_card_is_plain_text_whatever_people_wrote() -> None:
    assert HANDLED.incident is not None
    odd = replace(HANDLED.incident, notes=(Note(NOW, "k\x1b]52;c;x\x07im", "a\nb\u202e"),))
    told = card(incident=odd)
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "a b" in told


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("num_waiting", r"num\_waiting"),
        ("[x](http://evil)", r"\[x\](http:/\/evil)".replace(r":/\/", r":\//")),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("a|b", r"a\|b"),
        ("`code` **bold**", r"\`code\` \*\*bold\*\*"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("www.evil.example", r"www\.evil.example"),
        ("one\ntwo", "one two"),
        ("KV 97.9% - full", "KV 97.9% - full"),
        ("&lt;", r"\&lt;"),
        ("@everyone", r"\@everyone"),
        (r"back\slash", r"back\\slash"),
    ],
)
def test_text_from_elsewhere_is_no_markdown(text: str, markdown: str) -> None:
    assert escaped(text) == markdown


def test_the_page_holds_every_part_of_the_incident() -> None:
    assert HANDLED.incident is not None
    page = incident_markdown(HANDLED, HANDLED.incident, NOW)
    assert page.startswith("# Incident gpu-01:8000/20231114T221010Z\n")
    for title in (
        "## Verdict",
        "## Evidence",
        "## Causes",
        "## What would not help",
        "## Fix",
        "## Advice",
        "## Impact",
        "## Timeline",
        "## Done",
        "## Notes",
        "## Similar past incidents",
    ):
        assert f"\n{title}\n" in page
    assert "| `kv_usage` | `vllm:kv_cache_usage_perc` |  | 90.0% | 97.9% | 30 s |" in page
    assert "- --max-num-seqs 256\n+ --max-num-seqs 44\n" in page
    assert "| 2023-11-14 22:10:30 UTC | 22 s | kim | kim is on it |" in page
    assert "Grade: helped. preemptions 2.4 /s → 0.1 /s" in page


def test_no_text_leaves_its_table_cell_or_its_fence() -> None:
    assert HANDLED.incident is not None
    assert HANDLED.fix is not None
    odd = replace(HANDLED.incident, timeline=(IncidentEntry(NOW, "x | y\n## Owned", "kim"),))
    change = replace(HANDLED.fix.changes[0], proposed="```\n# out")
    page = incident_markdown(replace(HANDLED, fix=replace(HANDLED.fix, changes=(change,))), odd, NOW)
    assert "\n## Owned" not in page
    assert r"x \| y \#\# Owned" in page
    assert page.count("```") == 2


def test_an_export_is_the_owners_alone_and_never_over_an_older_one(tmp_path: Path) -> None:
    first, second = (write_page(tmp_path / "exports", "gpu:8000/2023", text) for text in ("one", "two"))
    assert not isinstance(first, BadInput)
    assert not isinstance(second, BadInput)
    assert (first.name, second.name) == ("gpu-8000-2023.md", "gpu-8000-2023-2.md")
    assert (first.read_text("utf-8"), second.read_text("utf-8")) == ("one", "two")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


@pytest.mark.parametrize(("text", "name"), [("../../etc/x", "etc-x"), ("a/b:1", "a-b-1"), ("…", "incident")])
def test_an_incident_id_cannot_leave_the_folder(text: str, name: str) -> None:
    assert plain_name(text) == name


def test_a_folder_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    refused = write_page(blocked / "exports", "a", "text")
    assert isinstance(refused, BadInput)
    assert str(blocked) in refused.message


async def test_an_export_has_the_page_and_a_recording_that_opens(tmp_path: Path) -> None:
    exports = Exports(tmp_path, 2.0)
    for n in range(5):
        facts = EndpointFacts(version="0.32.0") if n == 0 else None
        exports.keep(URL, Poll(100.0 + n, NOW + n, 3.0, body=f"vllm:num_requests_running {n}\n", facts=facts))
    told = await exports.write(URL, "gpu-01:8000/x", "# page\n")
    page = tmp_path / "exports" / "gpu-01-8000-x.md"
    assert str(page) in told
    assert page.read_text("utf-8") == "# page\n"
    opened = RecordingFile.open(tmp_path / "exports" / "gpu-01-8000-x.jsonl.gz")
    assert isinstance(opened, RecordingFile)
    polls = list(opened.polls())
    assert [poll.body for poll in polls] == [f"vllm:num_requests_running {n}\n" for n in range(5)]
    assert polls[0].facts is not None
    assert polls[0].facts.version == "0.32.0"
    assert opened.header.endpoint == URL


async def test_of_a_large_fleet_no_pages_are_kept_and_the_export_says_so(tmp_path: Path) -> None:
    exports = Exports(tmp_path, 5.0)
    for n in range(ENDPOINTS_MOST + 1):
        exports.keep(f"http://gpu-{n}:8000", Poll(1.0, NOW, 1.0, body="x 1\n"))
    told = await exports.write("http://gpu-0:8000", "gpu-0/x", "# page\n")
    assert "no recording" in told
    assert [path.suffix for path in (tmp_path / "exports").iterdir()] == [".md"]


@pytest.mark.parametrize("before", [[], ["i"]])
async def test_y_writes_the_card_to_the_terminal_as_osc_52(
    before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = InferGuardApp(PushedFeed(frames.frame(HANDLED), desk=NotingDesk()), terminal=UNICODE)
    written: list[str] = []
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press(*before, "y")
        await settled(pilot)
        assert "18 lines copied by OSC 52" in rows(pilot)[-1]
    (sent,) = [text for text in written if text.startswith("\x1b]52;c;")]
    assert base64.b64decode(sent[len("\x1b]52;c;") : -1]).decode() == card()


async def test_inside_tmux_the_answer_says_what_tmux_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    app = InferGuardApp(PushedFeed(frames.frame(HANDLED), desk=NotingDesk()), terminal=UNICODE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert "tmux passes it on with set-clipboard on" in rows(pilot)[-1]


async def test_e_gives_the_desk_the_page_and_says_where_it_is() -> None:
    desk = NotingDesk()
    app = InferGuardApp(PushedFeed(frames.frame(HANDLED), desk=desk), terminal=UNICODE)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("e")
        await settled(pilot)
        assert HANDLED.incident is not None
        page = incident_markdown(HANDLED, HANDLED.incident, NOW)
        assert desk.asked == [("export", URL, conclusions.INCIDENT, page)]
        assert "/state/exports/x.md and x.jsonl.gz" in rows(pilot)[-1]


async def test_e_without_a_desk_is_a_line() -> None:
    app = InferGuardApp(PushedFeed(frames.frame(HANDLED)), terminal=UNICODE)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("e")
        await settled(pilot)
        assert NO_DESK in rows(pilot)[-1]
