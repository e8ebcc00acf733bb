"""The exposition reader on pages written by hand, and on what real engines served."""

from __future__ import annotations

import gc
import gzip
import json
import math
import tracemalloc
import weakref
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inferguard_core.exposition import ENTRY_CHARS, REMEMBERED_CHARS, BadLine, ExpositionReader

ROOT = Path(__file__).parents[2]
RECORDING = ROOT / "tests/fixtures/recordings/vllm-0.32-kv_pressure-onset.jsonl.gz"
CAPTURES = sorted((ROOT.parent / "shared/captures").glob("*.txt"))


def read(text: str):
    return ExpositionReader().read(text)


def values(text: str) -> list[tuple[str, dict[str, str], float]]:
    return [(series.name, dict(series.labels), value) for series, value in read(text).samples]


def bodies() -> list[str]:
    polls = gzip.decompress(RECORDING.read_bytes()).decode().splitlines()[1:]
    return [json.loads(poll)["body"] for poll in polls]


def test_a_page_gives_samples_types_and_nothing_bad():
    page = read(
        "# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.\n"
        "# TYPE vllm:kv_cache_usage_perc gauge\n"
        'vllm:kv_cache_usage_perc{engine="0",model_name="tiny"} 0.25\n'
        "# TYPE up untyped\n"
        "up 1\n"
    )
    assert [(s.name, s.labels, s.key, value) for s, value in page.samples] == [
        (
            "vllm:kv_cache_usage_perc",
            {"engine": "0", "model_name": "tiny"},
            'vllm:kv_cache_usage_perc{engine="0",model_name="tiny"}',
            0.25,
        ),
        ("up", {}, "up", 1.0),
    ]
    assert page.types == {"vllm:kv_cache_usage_perc": "gauge", "up": "untyped"}
    assert (page.timestamps, page.bad_lines, page.first_bad) == ({}, 0, ())


@pytest.mark.parametrize("text", ["", "\n", "\r\n \t\r\n", "# just a comment", "# EOF\n"])
def test_a_page_without_samples_is_empty_and_not_bad(text):
    page = read(text)
    assert (page.samples, page.types, page.bad_lines) == ([], {}, 0)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\\b", "a\\b"),
        (r"a\nb", "a\nb"),
        (r"a\"b", 'a"b'),
        (r"a\tb\x", r"a\tb\x"),
        (r"\\n", r"\n"),
        ("", ""),
    ],
)
def test_label_values_are_unescaped(written, meant):
    assert values(f'm{{a="{written}"}} 1') == [("m", {"a": meant}, 1.0)]


def test_structure_inside_quotes_is_text():
    assert values('m{path="/{id},x=\\"}# y",b=" # "} 2') == [
        ("m", {"path": '/{id},x="}# y', "b": " # "}, 2.0)
    ]


@pytest.mark.parametrize(
    "line",
    [' m {a = "1" , b="2"}  3 ', 'm{a="1",b="2",}\t3', 'm{,a="1", ,b="2"}3', '\tm{a="1",b="2"} 3\r', 'm{c=,a="1",b="2"} 3'],
)  # fmt: skip
def test_white_space_and_stray_commas_do_not_matter(line):
    assert values(line) == [("m", {"a": "1", "b": "2"}, 3.0)]


@pytest.mark.parametrize(
    ("line", "name", "labels"),
    [
        ('{"a.b",l="v"} 1', "a.b", {"l": "v"}),
        ('{l="v","a b"} 1', "a b", {"l": "v"}),
        ('m{"label.é"="v"} 1', "m", {"label.é": "v"}),
        ('{__name__="m"} 1', "m", {}),
    ],
)
def test_quoted_names_are_read(line, name, labels):
    assert values(line) == [(name, labels, 1.0)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("+Inf", math.inf),
        ("-inf", -math.inf),
        ("1.795475e+09", 1795475000.0),
        ("1E-3", 0.001),
        ("+7", 7.0),
        (".5", 0.5),
    ],
)
def test_number_spellings(written, value):
    assert values(f"m {written}\n") == [("m", {}, value)]


def test_nan_is_a_value():
    [(_, _, value)] = values("m NaN")
    assert math.isnan(value)


@pytest.mark.parametrize(
    "line",
    [
        "m", "m ", "m x", "m 1_000", "m 0x1", "m 1 x", "nan", "1m 1", "mé 1", 'm{a="1" 1', 'm{a="1} 1', "m{a=1} 1",
        'm{a="1",,b="2"} 1', 'm{a="1"b="2"} 1', 'm{a="1",a="2"} 1', '{a="1"} 1', 'm{__name__="n"} 1', 'm{é="1"} 1',
        "<html>", "# TYPE m", "# TYPE 1m gauge", '# HELP "m help', "m{} ",
    ],
)  # fmt: skip
def test_a_bad_line_is_counted_shown_and_costs_no_other(line):
    page = read(f"before 1\n{line}\nafter 2\n")
    assert [(series.name, value) for series, value in page.samples] == [("before", 1.0), ("after", 2.0)]
    assert page.bad_lines == 1
    assert page.first_bad == (BadLine(2, line),)


def test_five_bad_lines_are_shown_and_all_are_counted():
    page = read("!\n" * 7)
    assert page.bad_lines == 7
    assert [bad.number for bad in page.first_bad] == [1, 2, 3, 4, 5]


def test_a_bad_line_is_shown_without_what_drives_a_terminal_and_cut():
    page = read("\x1b[2J\u202e!" + "x" * 1000)
    assert page.first_bad[0].text.startswith("[2J!xxx")
    assert len(page.first_bad[0].text) == 200


def test_a_known_head_with_a_bad_value_is_a_bad_line():
    reader = ExpositionReader()
    reader.read('m{a="1"} 1')
    page = reader.read('m{a="1"} 1_0\nm{a="1"} x\nm{a="1"} 2')
    assert [value for _, value in page.samples] == [2.0]
    assert page.bad_lines == 2


def test_timestamps_of_the_prometheus_format_are_milliseconds():
    page = read('a 1\nb{l="v"} 2 1395066363123\nc\t3\t-1500\n')
    assert page.timestamps == {1: 1395066363.123, 2: -1.5}
    assert [value for _, value in page.samples] == [1.0, 2.0, 3.0]


def test_an_index_of_timestamps_counts_wanted_samples_only():
    page = ExpositionReader(lambda name: name == "b").read("a 1 1000\nb 2 2000\n")
    assert (len(page.samples), page.timestamps) == (1, {0: 2.0})


def test_openmetrics_timestamps_are_seconds_and_exemplars_are_not_samples():
    page = read(
        "# TYPE d_seconds histogram\n# UNIT d_seconds seconds\n"
        'd_seconds_bucket{le="0.1"} 8 # {trace_id="a} b"} 0.054 1520879607.7\n'
        'd_seconds_bucket{le="+Inf"} 9 1520430000.5 # {} 3 1520879999\n'
        "d_seconds_count 9 # {} 3\n"
        "# TYPE r counter\nr_total 5\nr_created 1520430000.123\n# EOF\n"
    )
    assert [(series.name, value) for series, value in page.samples] == [
        ("d_seconds_bucket", 8.0),
        ("d_seconds_bucket", 9.0),
        ("d_seconds_count", 9.0),
        ("r_total", 5.0),
        ("r_created", 1520430000.123),
    ]
    assert page.timestamps == {1: 1520430000.5}
    assert page.types == {"d_seconds": "histogram", "r": "counter"}
    assert page.bad_lines == 0


def test_a_series_is_one_object_from_poll_to_poll():
    reader = ExpositionReader()
    first, second = reader.read('m{a="1"} 1\n'), reader.read('# TYPE m gauge\n m{a="1"}\t2 5\nm{a="1"} 3\n')
    assert {id(series) for series, _ in first.samples + second.samples} == {id(first.samples[0][0])}


def test_wanted_is_asked_once_per_name():
    asked = []
    reader = ExpositionReader(lambda name: asked.append(name) or name == "a")
    for _ in range(2):
        page = reader.read('a{l="1"} 1\nb 2\na{l="2"} 3\n')
    assert asked == ["a", "b"]
    assert [value for _, value in page.samples] == [1.0, 3.0]


def test_a_bad_line_is_counted_wanted_or_not():
    reader = ExpositionReader(lambda name: False)
    assert [reader.read(text).bad_lines for text in ("a 1\n", "a x\n", "a 1\n?\n")] == [0, 1, 1]


def test_pages_with_ever_new_labels_do_not_grow_memory():
    """Twice the budget goes through; never more than 32 MB stay, and the first series is let go."""
    reader = ExpositionReader()
    first = weakref.ref(reader.read('m{id="first"} 1').samples[0][0])
    rows, label = 10_000, 90
    tracemalloc.start()
    try:
        for poll in range(2 * REMEMBERED_CHARS // (rows * (ENTRY_CHARS + label))):
            text = "\n".join(f'm{{id="{poll}-{row:0{label}d}"}} {row}.{poll}' for row in range(rows))
            assert len(reader.read(text).samples) == rows
            del text
            gc.collect()
            held, _ = tracemalloc.get_traced_memory()
            assert held < 32_000_000
    finally:
        tracemalloc.stop()
    assert first() is None


def test_a_head_longer_than_the_budget_is_read_each_time():
    reader = ExpositionReader()
    line = 'm{a="' + "x" * REMEMBERED_CHARS + '"} 1\n'
    for _ in range(2):
        [(series, value)] = reader.read(line).samples
        assert (len(series.labels["a"]), value) == (REMEMBERED_CHARS, 1.0)


def test_a_line_of_a_hundred_thousand_labels_is_read():
    """Time in proportion to its length: a scan that starts over at each label would not come back."""
    [(series, _)] = read("m{" + ",".join(f'l{n}="\\\\"' for n in range(100_000)) + "} 1").samples
    assert len(series.labels) == 100_000


def oracle(body: str) -> list[tuple[str, dict[str, str], float]]:
    return [
        (s.name, s.labels, s.value) for family in text_string_to_metric_families(body) for s in family.samples
    ]


def test_a_recorded_engine_reads_as_prometheus_client_reads_it():
    reader = ExpositionReader()
    for body in bodies()[::13]:
        page = reader.read(body)
        assert [(series.name, series.labels, value) for series, value in page.samples] == oracle(body)
        assert page.bad_lines == 0


def test_a_recorded_engine_keeps_its_series():
    reader = ExpositionReader()
    polls = [{id(series) for series, _ in reader.read(body).samples} for body in bodies()]
    assert polls[0] <= polls[-1]
    assert len(polls[0]) > 400


@pytest.mark.skipif(not CAPTURES, reason="no ../shared/captures beside the checkout")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_reads_as_prometheus_client_reads_it(path):
    body = path.read_text(encoding="utf-8")
    page = read(body)
    plain = {
        family for family, kind in page.types.items() if kind == "counter" and not family.endswith("_total")
    }
    ours = [(s.name + "_total" * (s.name in plain), s.labels, value) for s, value in page.samples]
    assert [repr(one) for one in ours] == [
        repr((name, labels, float(value))) for name, labels, value in oracle(body)
    ]
    assert page.bad_lines == 0
