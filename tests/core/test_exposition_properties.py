"""Whatever `prometheus_client` reads, we read the same; whatever anybody sends, we read what is readable."""

from __future__ import annotations

import math
import re
import struct

from hypothesis import assume, example, given, reject
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
    UntypedMetricFamily,
)
from prometheus_client.openmetrics.exposition import ALLOWUTF8, UNDERSCORES
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry
from prometheus_client.samples import Exemplar

from inferguard_core.exposition import ExpositionReader, Page

Sample = tuple[str, tuple[tuple[str, str], ...], bytes, bytes | None]
"""Name, labels in order, the bits of value and timestamp (NaN equals NaN)."""

NASTY = st.text(st.sampled_from('ab"\\\n\r\t,={}# \u00a0\u2028é😀_:1'), max_size=8)
LEGACY = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,6}", fullmatch=True)
ANY_NAME = st.one_of(LEGACY, NASTY.filter(bool))
LABEL_NAME = st.one_of(st.sampled_from(["le", "engine", "a"]), NASTY.filter(bool)).filter(
    lambda name: not name.startswith("__")
)
VALUES = st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.sampled_from([0.0, -0.0, 1.0]))
SECONDS = st.one_of(st.none(), st.integers(0, 2**33), st.floats(0, 2**33))
MILLISECONDS = st.one_of(st.none(), st.integers(0, 2**41).map(lambda ms: ms / 1000))
PIECES = st.sampled_from(
    [*'{}",=\\# \t_:ab1', " # ", "\\n", '\\"', '="', '",', "__name__", "\u00a0", "\x0b", "1e3", "NaN", "-Inf", "+1", "1_0"]
)  # fmt: skip
STRUCTURE = st.lists(PIECES, max_size=14).map("".join)
BARE_NUMBER_WORD = re.compile(r"(nan|inf|infinity)", re.IGNORECASE)


def bits(value: float) -> bytes:
    try:
        number = float(value)
    except OverflowError:
        number = math.copysign(math.inf, value)
    return struct.pack("d", math.nan if math.isnan(number) else number + 0.0)


def sample(name: str, labels: dict[str, str], value: float, timestamp: float | None) -> Sample:
    return name, tuple(labels.items()), bits(value), None if timestamp is None else bits(timestamp)


def ours(page: Page) -> list[Sample]:
    return [
        sample(series.name, dict(series.labels), value, page.timestamps.get(index))
        for index, (series, value) in enumerate(page.samples)
    ]


def theirs(text: str) -> list[Metric]:
    """What `prometheus_client` reads; a text that it refuses is no example."""
    try:
        return list(text_string_to_metric_families(text))
    except (ValueError, IndexError, OverflowError):
        reject()


def samples_of(families: list[Metric]) -> list[Sample]:
    return [sample(s.name, s.labels, s.value, s.timestamp) for family in families for s in family.samples]


@st.composite
def metric_families(draw: st.DrawFn, name: st.SearchStrategy[str] = ANY_NAME) -> Metric:
    kind = draw(
        st.sampled_from(
            [
                CounterMetricFamily,
                GaugeMetricFamily,
                HistogramMetricFamily,
                SummaryMetricFamily,
                UntypedMetricFamily,
            ]
        )
    )
    labels = draw(st.lists(LABEL_NAME, max_size=3, unique=True))
    family = kind(
        draw(name), draw(NASTY), labels=[label for label in labels if label not in {"le", "quantile"}]
    )
    for row in draw(st.lists(st.lists(NASTY, min_size=3, max_size=3), max_size=3, unique_by=tuple)):
        values = row[: len(family._labelnames)]
        at = draw(SECONDS)
        if kind is HistogramMetricFamily:
            edges = [(edge, draw(VALUES)) for edge in ("0.5", "+Inf")]
            family.add_metric(values, edges, draw(VALUES), timestamp=at)
        elif kind is SummaryMetricFamily:
            family.add_metric(values, draw(VALUES), draw(VALUES), timestamp=at)
        else:
            family.add_metric(values, draw(VALUES), timestamp=at)
    return family


class Given:
    """A collector of what a strategy drew."""

    def __init__(self, families: list[Metric]) -> None:
        self.families = families

    def collect(self) -> list[Metric]:
        return self.families


def registry_of(families: list[Metric]) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Given(families))
    return registry


@given(
    st.lists(metric_families(), max_size=4),
    st.sampled_from([ALLOWUTF8, UNDERSCORES]),
    st.sampled_from(["\n", "\r\n", "\n\n", " \t\n", "\n \t"]),
    st.booleans(),
)
def test_a_rendered_page_reads_as_prometheus_client_reads_it(families, escaping, newline, ends):
    text = generate_latest(registry_of(families), escaping).decode().replace("\n", newline)
    text = text if ends else text.rstrip("\n")
    expected = samples_of(theirs(text))
    page = ExpositionReader().read(text)
    assert ours(page) == expected
    assert page.bad_lines == 0


@given(st.lists(metric_families(), max_size=4), st.sampled_from([ALLOWUTF8, UNDERSCORES]))
def test_types_are_those_prometheus_client_reads(families, escaping):
    text = generate_latest(registry_of(families), escaping).decode()
    declared = {
        (family.removesuffix("_total") if kind == "counter" else family, kind.replace("untyped", "unknown"))
        for family, kind in ExpositionReader().read(text).types.items()
    }
    assert declared <= {(family.name, family.type) for family in theirs(text)}


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), NASTY, VALUES, MILLISECONDS, st.booleans()),
        max_size=4,
        unique_by=lambda row: row[0],
    )
)
def test_an_openmetrics_page_reads_as_the_openmetrics_parser_reads_it(rows):
    families = []
    for name, label, value, at, has_exemplar in rows:
        family = Metric(f"x{name}_seconds", "help", "histogram", unit="seconds")
        exemplar = Exemplar({"trace_id": "a b # c"}, 0.25, 1.5) if has_exemplar else None
        family.add_sample(f"x{name}_seconds_bucket", {"le": "+Inf", "a": label}, abs(int(value)) if math.isfinite(value) else 1, at, exemplar)  # fmt: skip
        families.append(family)
    text = generate_openmetrics(registry_of(families)).decode()
    page = ExpositionReader().read(text)
    expected = [s for family in openmetrics_families(text) for s in family.samples]
    assert [(s.name, s.labels, bits(v)) for s, v in page.samples] == [
        (s.name, s.labels, bits(s.value)) for s in expected
    ]
    for index, one in enumerate(expected):
        at = page.timestamps.get(index)
        assert (at is None) == (one.timestamp is None)
        assert at is None or math.isclose(at, float(one.timestamp), abs_tol=1e-6)


@st.composite
def sample_lines(draw: st.DrawFn) -> str:
    """Mostly well-formed, with every liberty the format's readers grant, and at times one edit too many."""
    space = st.sampled_from(["", " ", "\t", "  ", " \t", "\u00a0", "\x0b", "\r"])

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') + '"'

    label = st.builds(
        lambda a, name, b, value, c: f"{a}{name}{b}={c}{value}",
        space, st.one_of(LEGACY, NASTY.map(quoted)), space, NASTY.map(quoted), space,
    )  # fmt: skip
    terms = draw(st.lists(label, max_size=3))
    if draw(st.booleans()):
        terms.insert(draw(st.integers(0, len(terms))), quoted(draw(NASTY)))
        name = draw(space)
    else:
        name = draw(LEGACY) + draw(space)
    block = ("," + draw(space)).join(terms) + draw(st.sampled_from(["", ",", " ,", ", ,"]))
    numbers = draw(st.lists(VALUES.map(str), min_size=1, max_size=3))
    gap = draw(st.sampled_from([" ", "\t", "  "]))
    line = draw(space) + name + (f"{{{block}}}" if terms else "") + gap + gap.join(numbers) + draw(space)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(PIECES) + line[at + draw(st.integers(0, 1)) :]
    return line.replace("\n", " ")


@given(st.one_of(sample_lines(), STRUCTURE, st.builds("{} {}".format, STRUCTURE, VALUES)))
@example("foo 5 {} 7")
@example('foo 5 "{" 7')
@example('a{a="b"}1')
@example('a{\\"=,b="c"} 1')
@example('{"a"b"c"="d","n"} 1')
@example(f"a 1 {2**63}")
@example('a{b\\n="c"} 1')
def test_a_line_that_prometheus_client_accepts_reads_the_same(line):
    expected = samples_of(theirs(line))
    assume(not BARE_NUMBER_WORD.fullmatch(line.strip()))
    assert ours(ExpositionReader().read(line)) == expected


@given(st.builds("{}{}{}{}".format, st.sampled_from(["# TYPE ", "#\tTYPE  ", "# HELP ", "#x TYPE ", "# "]), STRUCTURE, st.sampled_from([" ", "\t"]), st.sampled_from(["gauge", "histogram", ""])))  # fmt: skip
def test_a_comment_that_prometheus_client_accepts_declares_the_same(line):
    families = theirs(line)
    page = ExpositionReader().read(line)
    assert page.bad_lines == 0
    assert page.types == {f.name: f.type for f in families if f.type != "unknown"}


@given(st.lists(st.one_of(sample_lines(), STRUCTURE), max_size=4), st.lists(STRUCTURE, max_size=4))
def test_what_a_reader_has_seen_does_not_change_what_it_reads(lines, tails):
    """Heads known from one page, with other text behind them on the next."""
    reader = ExpositionReader()
    heads = [series.key for series, _ in reader.read("\n".join(lines)).samples]
    page = "\n".join([*lines, *(head + gap + tail for head in heads for tail in tails for gap in ("", " "))])
    fresh = ExpositionReader().read(page)
    seen = reader.read(page)
    assert ours(seen) == ours(fresh)
    assert (seen.bad_lines, seen.first_bad, seen.types) == (fresh.bad_lines, fresh.first_bad, fresh.types)


@given(st.one_of(st.text(), st.lists(STRUCTURE, max_size=6).map("\n".join)))
def test_no_text_raises_and_reading_it_again_gives_the_same(text):
    reader = ExpositionReader(lambda name: "a" not in name)
    first, second = reader.read(text), reader.read(text)
    assert ours(first) == ours(second)
    assert [id(series) for series, _ in first.samples] == [id(series) for series, _ in second.samples]
    assert (first.types, first.bad_lines, first.first_bad) == (
        second.types,
        second.bad_lines,
        second.first_bad,
    )
    assert first.bad_lines <= text.count("\n") + 1


@given(st.lists(sample_lines(), min_size=1, max_size=6), st.data(), STRUCTURE)
def test_a_garbled_line_costs_only_itself(lines, data, garbage):
    at = data.draw(st.integers(0, len(lines) - 1))
    rest = lines[:at] + lines[at + 1 :]
    alone = [ours(ExpositionReader().read(line)) for line in lines]
    garbled = ExpositionReader().read("\n".join([*lines[:at], "!" + garbage + "!", *lines[at + 1 :]]))
    assert ours(garbled) == [one for index, read in enumerate(alone) if index != at for one in read]
    assert garbled.bad_lines == ExpositionReader().read("\n".join(rest)).bad_lines + 1


@given(st.lists(metric_families(), max_size=4), st.sets(LEGACY), st.integers(0, 5))
def test_wanted_gives_exactly_that_part_of_the_page(families, others, salt):
    text = generate_latest(registry_of(families), ALLOWUTF8).decode()
    everything = ExpositionReader().read(text)
    chosen = {s.name for s, _ in everything.samples if (len(s.name) + salt) % 2} | others
    page = ExpositionReader(chosen.__contains__).read(text)
    assert ours(page) == [one for one in ours(everything) if one[0] in chosen]
    assert (page.types, page.bad_lines) == (everything.types, everything.bad_lines)
