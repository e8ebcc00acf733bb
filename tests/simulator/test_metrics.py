"""The small exposition writer against prometheus_client, which the engines use."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.utils import floatToGoString

from inferguard_tui.simulator.metrics import Page, number


@given(st.floats() | st.integers(0, 10**15).map(float))
def test_numbers_are_written_as_the_client_writes_them(value: float) -> None:
    assert number(value) == floatToGoString(value)


@given(st.lists(st.floats(0, 20), max_size=30))
def test_a_histogram_renders_like_the_client_s(values: list[float]) -> None:
    edges = (0.1, 0.5, 1.0, 10.0)
    registry = CollectorRegistry()
    genuine = Histogram("latency", "Words", ["a"], registry=registry, buckets=edges).labels("x")
    page = Page({})
    ours = page.histogram("latency", "Words", edges, a="x")
    for value in values:
        genuine.observe(value)
        ours.observe(value)
    expected = [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]
    assert page.text().splitlines() == expected


def test_label_values_survive_the_client_s_parser() -> None:
    page = Page({"model_name": 'a "quoted" \\ name\nof two lines'})
    page.gauge("usage", "Words", 0.5)
    (family,) = text_string_to_metric_families(page.text())
    assert family.samples[0].labels["model_name"] == 'a "quoted" \\ name\nof two lines'


def test_a_line_follows_its_value() -> None:
    page = Page({})
    gauge = page.gauge("g", "Words", 1.0)
    assert page.text().endswith("g 1.0\n")
    gauge.value = math.nan
    assert page.text().endswith("g NaN\n")
    gauge.value = 2.5
    assert page.text().endswith("g 2.5\n")


def test_a_multiprocess_page_says_nothing_of_a_family_without_samples() -> None:
    page = Page({}, multiprocess=True)
    family = page.family("retracted_total", "counter", "Words")
    assert page.text() == ""
    family.value({}).value += 1
    assert page.text().endswith("retracted_total 1.0\n")


def test_counters_and_histograms_bring_their_creation_time_as_a_gauge() -> None:
    page = Page({}, created_at=1_800_000_000.5)
    page.counter("tokens_total", "Words")
    families = {family.name: family for family in text_string_to_metric_families(page.text())}
    assert families["tokens_created"].type == "gauge"
    assert families["tokens_created"].samples[0].value == 1_800_000_000.5
