"""What a version can tell, what it hides, and the flag or version that would show it."""

from __future__ import annotations

import pytest

from inferguard_core.engines import Visibility, capabilities, remedy
from inferguard_core.engines.capability import obtainable
from inferguard_core.reading import Engine, Reading
from inferguard_core.signals import Signal
from tests.core.captured import page, read

S = Signal


def states(name: str, version: str | None) -> dict[S, tuple[Visibility, str]]:
    return {c.signal: (c.state, c.remedy) for c in capabilities(read(page(name)), version)}


def test_every_signal_of_the_vocabulary_has_a_state():
    assert list(states("vllm-0.33.0-v1-rendered", "0.33.0")) == list(S)


def test_an_unknown_engine_has_no_capabilities():
    assert capabilities(Reading(Engine.UNKNOWN), "1.0") == ()


def test_a_signal_read_by_its_newest_name_needs_nothing():
    (kv,) = (
        c for c in capabilities(read(page("vllm-0.33.0-v1-rendered")), "0.33.0") if c.signal == S.KV_USAGE
    )
    assert (kv.state, kv.name, kv.remedy) == (Visibility.READ, "vllm:kv_cache_usage_perc", "")


def test_a_signal_read_by_an_older_name_is_renamed():
    (kv,) = (c for c in capabilities(read(page("vllm-0.8.5-v1-rendered")), "0.8.5") if c.signal == S.KV_USAGE)
    assert (kv.state, kv.name) == (Visibility.RENAMED, "vllm:gpu_cache_usage_perc")


def test_a_hidden_metric_is_shown_by_the_flag_with_the_minor_before():
    """0.8.3 hides the swap metrics of V0; they are gone in 0.9.1."""
    flag = "--show-hidden-metrics-for-version=0.7"
    assert states("vllm-0.8.5-v0-rendered", "0.8.5")[S.SWAPPED] == (Visibility.HIDDEN, flag)
    assert states("vllm-0.8.5-v0-rendered", "0.9.2")[S.SWAPPED][0] is Visibility.ABSENT


def test_a_metric_of_a_later_version_names_that_version():
    absent = states("vllm-0.12.0-v1-rendered", "0.12.0")
    assert absent[S.WAITING_CAPACITY] == (Visibility.ABSENT, "exported by vLLM 0.20.0 and later")
    assert absent[S.FINISHED_ERROR] == (Visibility.ABSENT, "exported by vLLM 0.13.0 and later")


def test_a_metric_of_the_other_engine_generation_names_it():
    state, words = states("vllm-0.8.5-v0-rendered", "0.8.5")[S.PREFIX_QUERIES]
    assert state is Visibility.ABSENT
    assert "V1" in words


def test_a_feature_that_is_off_names_the_flag_that_turns_it_on():
    state, words = states("vllm-0.33.0-v1-multiproc-rendered", "0.33.0")[S.OPEN_FDS]
    assert state is Visibility.NOT_YET
    assert "--api-server-count 1" in words


@pytest.mark.parametrize("version", ["0.5.4", None])
def test_the_page_stands_in_for_a_version_nobody_told(version):
    absent = states("sglang-0.5.4-metrics", version)
    assert absent[S.PREEMPTIONS] == (Visibility.ABSENT, "exported by SGLang 0.5.7 and later")
    assert absent[S.SCHEDULER_SECONDS] == (Visibility.ABSENT, "exported by SGLang 0.5.20 and later")


@pytest.mark.parametrize(
    ("signal", "engine", "version", "generation", "words"),
    [
        (S.SCHEDULER_SECONDS, Engine.SGLANG, "0.5.10", "", "exported by SGLang 0.5.20 and later"),
        (S.PREEMPTIONS, Engine.SGLANG, "0.5.4", "", "exported by SGLang 0.5.7 and later"),
        (S.PREFIX_HITS, Engine.VLLM, "0.11.0", "V1", ""),
        (
            S.HTTP_ACTIVE,
            Engine.VLLM,
            "0.33.0",
            "V1",
            "not in /metrics; --enable-server-load-tracking shows it at /load",
        ),
        (S.NEW_TOKEN_RATIO, Engine.VLLM, "0.33.0", "V1", ""),
        (S.KV_USAGE, Engine.UNKNOWN, None, "", ""),
    ],
)
def test_a_remedy_is_a_flag_a_version_or_nothing(signal, engine, version, generation, words):
    assert remedy(signal, engine, version, generation) == words


@pytest.mark.parametrize(
    ("signal", "version", "words"),
    [
        (S.SWAPPED, "0.32.0", ""),  # V1 recomputes; no flag and no version brings it back
        (S.OFFLOAD_FAILURES, "0.32.0", ""),  # appears with a connector, which nobody adds to be told of it
        (S.WAITING_CAPACITY, "0.12.0", "exported by vLLM 0.20.0 and later"),
    ],
)
def test_only_what_a_flag_or_a_version_brings_is_asked_for(signal, version, words):
    assert obtainable(signal, Engine.VLLM, version, "V1") == words
