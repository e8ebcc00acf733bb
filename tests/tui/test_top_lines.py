"""The lines around the middle: header, verdict, keys, replay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.frame import AnomalyState, PartHealth, ReplayPosition, Severity, Status
from inferguard_core.poll import ProofLevel
from inferguard_tui.keys import ENDPOINT_KEYS, FLEET_KEYS, NUMBER_KEYS, PROGRAM_KEYS, REPLAY_KEYS, bindings_of
from inferguard_tui.line import Ink, text_of, width
from inferguard_tui.panels.footer import footer_line
from inferguard_tui.panels.header import endpoint_header, fleet_header
from inferguard_tui.panels.replay import replay_line
from inferguard_tui.panels.verdict import endpoint_verdict, fleet_verdict
from inferguard_tui.panels.view import Watching
from tests.tui import conclusions, frames

CALM = Watching()
PAUSED = Watching(frames.NOW - 60)


def header(cells: int = 120, watching: Watching = CALM, **changes: object) -> str:
    endpoint = frames.endpoint(**changes)
    return text_of(endpoint_header(frames.frame(endpoint), endpoint, None, watching, cells))


def verdict(endpoint: object, watching: Watching = CALM, cells: int = 200) -> str:
    return text_of(endpoint_verdict(frames.frame(endpoint), endpoint, watching, cells))


def test_the_header_says_what_is_watched_and_when() -> None:
    shown = header()
    for part in (
        "gpu-01:8000",
        "vLLM 0.32.0",
        "openai/gpt-oss-120b",
        "LIVE",
        "poll 2 s 1/1 answer",
        "22:13:20",
    ):
        assert part in shown


def test_a_cause_that_is_its_own_finding_is_said_once() -> None:
    restarted = frames.critical(
        anomalies=(
            frames.anomaly(
                "engine_restart", Severity.CRITICAL, "engine restarted, 28 running requests lost", 60
            ),
        ),
        diagnosis=replace(conclusions.diagnosis(), cause="engine_restarted"),
    )
    assert "CRITICAL  engine restarted — 28 running requests lost  " in verdict(restarted)
    bare = replace(restarted, anomalies=(replace(restarted.anomalies[0], summary="engine restarted"),))
    assert "CRITICAL  engine restarted  " in verdict(bare)


@pytest.mark.parametrize(
    ("proof", "word"),
    [(ProofLevel.LIVE, " LIVE "), (ProofLevel.RECORDED, " REPLAY "), (ProofLevel.SIMULATED, " SIMULATED ")],
)
@pytest.mark.parametrize("cells", [60, 80, 120])
@pytest.mark.parametrize("watching", [CALM, PAUSED], ids=["live", "paused"])
def test_whose_numbers_these_are_is_always_said(
    proof: ProofLevel, word: str, cells: int, watching: Watching
) -> None:
    long = frames.endpoint(
        3, name="inference-gateway-07.example.internal:30000", models=("org/a-very-long-model-name" * 3,)
    )
    shown = endpoint_header(frames.frame(long), replace(long, proof=proof), 3, watching, cells)
    assert word in text_of(shown)
    assert width(shown) == cells
    assert word in header(cells, watching, proof=proof)


def test_the_model_gives_way_before_the_engine() -> None:
    short = header(70, models=("an-organisation/gpt-oss-120b",))
    assert "vLLM 0.32.0  gpt-oss-120b" in short
    assert "an-organisation/gpt-oss-120b" in header(120, models=("an-organisation/gpt-oss-120b",))
    assert "vLLM 0.32.0" in header(60, models=("an-organisation/gpt-oss-120b",))


@pytest.mark.parametrize("cells", [80, 100, 120])
def test_the_fleets_header_cuts_no_count(cells: int) -> None:
    shown = text_of(fleet_header(frames.mixed_fleet(), CALM, cells))
    assert "1 CRITICAL  1 NO DATA" in shown
    assert " LIVE " in shown
    assert "…" not in shown


def test_a_verdict_leaves_out_whole_figures() -> None:
    shown = verdict(frames.critical(), cells=80)
    assert "KV exhausted by demand — preempting 2.4 /s, 38 waiting  " in shown
    assert "…" not in shown


def test_a_cause_that_the_table_does_not_know_is_shown_by_its_name() -> None:
    told = replace(conclusions.diagnosis(), cause="cosmic_\x1b[31mrays")
    assert "CRITICAL  cosmic [31mrays — " in verdict(frames.critical(diagnosis=told))


@pytest.mark.parametrize("cells", [20, 40, 80, 120, 200])
def test_the_header_is_one_line_of_its_width(cells: int) -> None:
    endpoint = frames.endpoint(models=("模型" * 60,))
    assert width(endpoint_header(frames.frame(endpoint), endpoint, 3, CALM, cells)) == cells


def test_a_paused_view_says_since_when_and_shows_no_second_clock() -> None:
    shown = header(watching=PAUSED)
    assert "PAUSED since 22:12:20" in shown
    assert "22:13:20" not in shown


def test_parts_of_ours_that_are_off_are_named() -> None:
    endpoint = frames.endpoint()
    frame = replace(frames.frame(endpoint), parts=(PartHealth("log", "off"),))
    assert "log off" in text_of(endpoint_header(frame, endpoint, None, CALM, 160))


def test_what_is_down_goes_before_all_else_and_says_since_when() -> None:
    endpoint = frames.endpoint()
    down = PartHealth("brain", "down", "m: HTTP 401; rules go on", frames.frame(endpoint).unix - 60.0)
    frame = replace(frames.frame(endpoint), parts=(PartHealth("poll", "1/1 answer"), down))
    shown = text_of(endpoint_header(frame, endpoint, None, CALM, 160))
    assert "brain down since 22:12:20" in shown
    assert shown.index("brain down") < shown.index("poll 2 s")


@pytest.mark.parametrize("cells", [80, 100, 120])
def test_that_something_may_be_sent_is_said_at_every_width(cells: int) -> None:
    named = frames.endpoint(name="127.0.0.1:39247", models=("meta-llama/Llama-3.3-70B-Instruct",))
    parts = (PartHealth("poll", "1/1 answer"), PartHealth("memory", "ok"), PartHealth("act", "live"))
    frame = replace(frames.frame(named), parts=parts)
    one = endpoint_header(frame, named, None, CALM, cells)
    assert "act live" in text_of(one)
    assert width(one) == cells
    several = replace(frames.mixed_fleet(), parts=parts)
    assert "act live" in text_of(fleet_header(several, CALM, cells))


def test_the_fleets_header_counts_states() -> None:
    shown = text_of(fleet_header(frames.mixed_fleet(), CALM, 200))
    assert "12 endpoints" in shown
    assert "1 CRITICAL  1 NO DATA" in shown
    assert "5 OK" in shown


@pytest.mark.parametrize(
    ("endpoint", "start"),
    [
        (frames.waiting(), " … WAITING  no poll has come back yet"),
        (frames.endpoint(), " ✔ OK  nothing wrong is seen"),
        (
            frames.endpoint(incidents=(frames.incident(),)),
            " ✔ OK  nothing wrong is seen here yet, but an incident is open",
        ),
        (frames.warning(), " ! WARNING  queue_growth: 14 waiting"),
        (frames.critical(diagnosis=None), " ▲ CRITICAL  preemption: 144 preempted"),
        (
            frames.critical(),
            " ▲ CRITICAL  KV exhausted by demand — preempting 2.4 /s, 38 waiting, wait ≈ 6.13 s, TTFT p95 12.4 s",
        ),
        (
            frames.dead(),
            " \N{MULTIPLICATION SIGN} NO DATA  last data 48 s ago, at 22:12:32. gpu-01:8000 refused the connection",
        ),
        (
            frames.endpoint(status=Status.STALE, age_s=9.0),
            " \N{MULTIPLICATION SIGN} STALE  last data 9 s ago",
        ),
        (frames.endpoint(status=Status.RESTARTED), " ! RESTARTED  the engine started anew"),
        (
            frames.endpoint(status=Status.NO_DATA, last_page_unix=None, age_s=None),
            " \N{MULTIPLICATION SIGN} NO DATA  never any data",
        ),
    ],
    ids=lambda value: getattr(value, "status", None),
)
def test_the_verdict_is_a_word_a_shape_and_a_sentence(endpoint: object, start: str) -> None:
    assert verdict(endpoint).startswith(start)


def test_a_monitor_that_stopped_says_so_before_anything_else() -> None:
    shown = verdict(frames.critical(), Watching(trouble="no such endpoint"))
    assert shown.startswith(
        " \N{MULTIPLICATION SIGN} MONITOR STOPPED  no such endpoint. What is shown is from 22:13:20."
    )


def test_the_fleets_verdict_names_the_worst_first() -> None:
    shown = text_of(fleet_verdict(frames.mixed_fleet(), CALM, 200))
    assert shown.startswith(
        " ▲ CRITICAL  4 of 12 in trouble: KV exhausted by demand on gpu-07:8000; "
        "no data for 48 s (refused) on gpu-09:8000; queue growth on gpu-03:8000"
    )


def test_the_fleets_verdict_says_a_cause_once_for_all_that_have_it() -> None:
    ill = [frames.critical(n) for n in (1, 4, 7)]
    gone = [frames.dead(n, age_s=10.0 * n) for n in (2, 3)]
    assert text_of(fleet_verdict(frames.frame(*ill, *gone, frames.endpoint(5)), CALM, 160)).startswith(
        " ▲ CRITICAL  5 of 6 in trouble: KV exhausted by demand on gpu-01:8000 and 2 more; "
        "no data (refused) on gpu-02:8000 and gpu-03:8000"
    )


def test_a_verdict_says_that_all_of_it_recovers_and_not_that_some_does() -> None:
    bad = frames.critical()
    better = tuple(replace(a, state=AnomalyState.RECOVERING) for a in bad.anomalies)
    assert "KV exhausted by demand — recovering, preempting 2.4 /s" in verdict(replace(bad, anomalies=better))
    assert "recovering" not in verdict(bad)


@pytest.mark.parametrize(
    ("cells", "end"), [(93, " and 127.0.0.1:45412"), (92, " and 1 more"), (84, " and 1 more"), (80, "")]
)
def test_a_second_name_that_does_not_fit_is_counted_or_left_out_and_not_cut(cells: int, end: str) -> None:
    bad = [frames.critical(number, name=f"127.0.0.1:4541{number}") for number in (1, 2)]
    shown = text_of(fleet_verdict(frames.frame(*bad), CALM, cells)).rstrip()
    assert shown == f" ▲ CRITICAL  2 of 2 in trouble: KV exhausted by demand on 127.0.0.1:45411{end}"


def test_a_healthy_fleet_is_told_apart_from_an_unpolled_one() -> None:
    healthy = frames.frame(frames.endpoint(1), frames.endpoint(2), frames.waiting(3))
    assert "nothing wrong is seen on 2; 1 not polled yet" in text_of(fleet_verdict(healthy, CALM, 120))
    assert "WAITING" in text_of(fleet_verdict(frames.frame(frames.waiting(1), frames.waiting(2)), CALM, 120))


@pytest.mark.parametrize("own", [ENDPOINT_KEYS, FLEET_KEYS])
@pytest.mark.parametrize("cells", [30, 80, 120])
def test_the_footer_fits_and_always_names_help_and_the_way_out(own: list[object], cells: int) -> None:
    row = footer_line(bindings_of([*own, *NUMBER_KEYS, *REPLAY_KEYS, *PROGRAM_KEYS]), cells)
    assert width(row) <= cells
    assert "? help" in text_of(row)
    assert "q quit" in text_of(row)
    assert "…" not in text_of(row)


def test_every_binding_has_an_id_of_its_own_and_a_tooltip() -> None:
    keys = bindings_of([*FLEET_KEYS, *ENDPOINT_KEYS, *NUMBER_KEYS, *REPLAY_KEYS, *PROGRAM_KEYS])
    assert all(key.id and key.tooltip for key in keys)
    assert len({key.id for key in keys}) == len(keys)


def test_the_replay_bar_stands_where_the_replay_stands() -> None:
    row = replay_line(ReplayPosition(50.0, 100.0, 2.0, paused=False, ended=False), 80)
    shown = text_of(row)
    assert "playing" in shown
    assert "2\N{MULTIPLICATION SIGN}" in shown
    assert "00:50" in shown
    assert "of 01:40" in shown
    assert width(row) <= 80
    before, _, after = shown.partition("●")
    assert abs(before.count("─") - after.count("─")) <= 1


@pytest.mark.parametrize(
    ("paused", "ended", "word"), [(True, False, "paused"), (False, True, "ended"), (False, False, "playing")]
)
def test_the_replay_bar_says_whether_it_plays(paused: bool, ended: bool, word: str) -> None:
    assert word in text_of(replay_line(ReplayPosition(1.0, 0.0, 1.0, paused, ended), 80))


def test_a_verdict_is_in_the_ink_of_its_state() -> None:
    row = endpoint_verdict(frames.frame(frames.dead()), frames.dead(), CALM, 100)
    assert row[0].ink is Ink.CRITICAL


def test_our_parts_stand_beside_a_short_model_name_before_a_long_one_takes_their_place() -> None:
    named = frames.endpoint(models=("meta-llama/Llama-3.3-70B-Instruct",))
    parts = (PartHealth("poll", "1/1 answer"), PartHealth("memory", "ok"), PartHealth("brain", "ok"))
    frame = replace(frames.frame(named), parts=parts)
    told = {
        cells: text_of(endpoint_header(frame, named, None, Watching(), cells)) for cells in (80, 120, 200)
    }
    assert "memory ok" in told[120]
    assert "  Llama-3.3-70B-Instruct" in told[120]
    assert "meta-llama/Llama-3.3-70B-Instruct" in told[200]
    assert "brain ok" in told[200]
    assert "Llama-3.3-70B-Instruct" in told[80]
    assert all(width(endpoint_header(frame, named, None, Watching(), cells)) <= cells for cells in told)
