"""The dialect card says of every signal how it can be had, and names the rules that are blind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.engines import Visibility
from inferguard_core.poll import EndpointFacts, Poll, ProofLevel
from inferguard_core.signals import Signal
from inferguard_core.watch import EndpointWatch
from inferguard_tui.line import text_of, width
from inferguard_tui.panels.dialect import dialect_lines
from inferguard_tui.screens.dialect import DialectScreen
from tests.tui import frames
from tests.tui.harness import monitor, screen_text, settled

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame

PAGE = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="m"} 3
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{model_name="m"} 0
# TYPE vllm:gpu_cache_usage_perc gauge
vllm:gpu_cache_usage_perc{model_name="m"} 0.25
"""


def watched(version: str) -> EndpointFrame:
    """A page with an old spelling of the KV gauge, as a watch makes it a frame."""
    watch = EndpointWatch("http://gpu:8000", "gpu:8000", 1.0, ProofLevel.LIVE, Limits())
    watch.observe(Poll(10.0, frames.NOW, 5.0, body=PAGE, facts=EndpointFacts(version=version)))
    return endpoint_frame(watch, frames.NOW, 0.1)


def told(endpoint: EndpointFrame | None, cells: int = 100) -> str:
    return "\n".join(text_of(row).rstrip() for row in dialect_lines(endpoint, cells))


def test_a_frame_holds_every_signal_and_how_it_was_read() -> None:
    states = {c.signal: c for c in watched("0.9.0").dialect}
    assert set(states) == set(Signal)
    assert states[Signal.RUNNING].state is Visibility.READ
    assert states[Signal.KV_USAGE].state is Visibility.RENAMED
    assert states[Signal.KV_USAGE].name == "vllm:gpu_cache_usage_perc"
    assert states[Signal.TTFT].state is not Visibility.READ


def test_the_card_of_a_real_page_names_what_is_blind_and_never_calls_it_read() -> None:
    endpoint = watched("0.9.0")
    blind = {item.rule for item in endpoint.blind}
    assert "ttft_high" in blind
    words = told(endpoint)
    assert "ttft_high" in words
    read = words.partition("─ Read ─")[2]
    assert "running" in read
    assert "ttft" not in read


def test_each_way_to_have_a_signal_is_a_block_with_its_count() -> None:
    words = told(frames.critical())
    assert "2 read · 1 renamed · 1 hidden behind a flag · 1 not shown yet · 1 absent · 1 rule blind" in words
    assert "e2e                       --show-hidden-metrics-for-version=0.31" in words
    assert "itl                       vllm:time_per_output_token_seconds" in words
    assert "spec_drafts               speculative decoding is off" in words
    assert words.index("Hidden behind a flag") < words.index("─ Read ─")


def test_before_a_page_the_card_says_so() -> None:
    assert "no page of a known engine" in told(frames.waiting())
    assert "no page of a known engine" in told(None)


def test_a_version_that_is_not_told_is_said() -> None:
    assert "What vLLM, version not told, lets us see" in told(replace(frames.endpoint(), engine_version=None))


@pytest.mark.parametrize("cells", [71, 91, 113])
def test_nothing_is_wider_than_the_dialog(cells: int) -> None:
    assert max(width(row) for row in dialect_lines(watched("0.32.0"), cells)) <= cells


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_c_opens_the_card_and_escape_closes_it(size: tuple[int, int]) -> None:
    app = monitor(frames.frame(frames.critical()))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)
        assert isinstance(app.screen, DialectScreen)
        assert "1 rule blind" in screen_text(app)
        await pilot.press("G")
        await settled(pilot)
        assert "vllm:num_requests_waiting" in screen_text(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, DialectScreen)
