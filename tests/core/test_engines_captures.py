"""Captured pages of many versions read to the values that stand in them."""

from __future__ import annotations

import pytest

from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from tests.core.captured import BESIDE, OURS, page, read
from tests.core.captured_values import ABSENT, DOUBTED, MODELS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_capture_reads_to_the_values_in_it(name):
    got = read(page(name))
    for key, expected in PAGES[name].items():
        if isinstance(expected, tuple):
            histogram = got.histograms[key]
            assert (histogram.count, histogram.total) == pytest.approx(expected), key
        else:
            assert got.values[key] == pytest.approx(expected), key


@pytest.mark.parametrize("name", PAGES)
def test_a_capture_has_no_bad_line_and_no_unstated_doubt(name):
    got = read(page(name))
    assert got.bad_lines == 0
    assert [d for d in got.doubts if not d.startswith(DOUBTED.get(name, "nothing"))] == []
    assert bool(got.doubts) == (name in DOUBTED)


@pytest.mark.parametrize("name", PAGES)
def test_the_engine_and_its_generation_are_recognised(name):
    """Renderings say in their name what wrote them; the others were looked up in the index of captures."""
    got = read(page(name))
    assert got.engine is (Engine.VLLM if name.startswith("vllm") else Engine.SGLANG)
    early = name.startswith(("vllm-0.3-", "vllm-0.3.", "vllm-0.4.", "vllm-0.5.", "vllm-0.7.0"))
    if got.engine is Engine.SGLANG or "triton" in name or name.startswith("vllm-0.9.2dev"):
        assert got.generation == ""
    else:
        assert got.generation == ("V0" if early or "-v0" in name else "V1")


@pytest.mark.parametrize("name", MODELS)
def test_the_models_are_those_of_the_labels(name):
    assert read(page(name)).models == MODELS[name]


@pytest.mark.parametrize("name", ABSENT)
def test_what_a_version_does_not_export_has_no_key(name):
    got = read(page(name))
    assert [k for k in ABSENT[name] if k in got.values or k in got.histograms or k in got.spellings] == []


@pytest.mark.parametrize("name", ["vllm-0.10.2-v1-dp2-rendered", "vllm-0.32.0-v1-dp2-rendered"])
def test_two_data_parallel_engines_are_kept_apart_as_ranks(name):
    assert read(page(name)).ranks == {
        "engine=0": {Signal.KV_USAGE: 0.42, Signal.RUNNING: 3, Signal.WAITING: 0},
        "engine=1": {Signal.KV_USAGE: 0.72, Signal.RUNNING: 4, Signal.WAITING: 2},
    }


def test_one_rank_is_no_rank():
    assert read(page("vllm-0.33.0-v1-rendered")).ranks == {}


def test_info_labels_are_read():
    info = read(page("vllm-0.33.0-v1-rendered")).info
    assert (info["block_size"], info["num_gpu_blocks"], info["cache_dtype"]) == ("16", "20539", "auto")
    assert "engine" not in info


def test_every_capture_of_ours_is_listed_here():
    assert {path.stem for path in OURS.glob("*.txt")} <= PAGES.keys()


def test_every_capture_beside_the_checkout_is_listed_here():
    folder = BESIDE / "captures"
    if not folder.is_dir():
        pytest.skip("../shared/captures is not there")
    assert {path.stem for path in folder.glob("*.txt")} == PAGES.keys()
