"""What is asked of a Prometheus server, and how its answer becomes pages again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.engines import EngineReader
from inferguard_core.exposition import ExpositionReader
from inferguard_core.poll import Failure, FailureKind
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.guard import PROMETHEUS_PATHS, refusal
from inferguard_core.sources.prometheus.fleet import Replica
from inferguard_core.sources.prometheus.names import bucket_names, parts, query_of, scalar_names
from inferguard_core.sources.prometheus.pages import address_of, scrapes
from inferguard_core.sources.prometheus.selector import Matcher, parse_selector, written

CAPTURES = Path(__file__).parents[1] / "fixtures" / "captures"
TARGET = {"job": "engines", "instance": "gpu-1:8000", "namespace": "prod"}
CHOSEN = (Signal.KV_USAGE, Signal.RUNNING, Signal.WAITING, Signal.PREEMPTIONS, Signal.GENERATION_TOKENS)


def answer(page: str, at: float = 100.0, **target: str) -> list[dict]:
    """The matrix a server would answer with after it scraped `page`."""
    labels = TARGET | target
    wanted = set(scalar_names()) | set(bucket_names())
    found = [{"metric": {"__name__": "up", **labels}, "values": [[at, "1"]]}]
    for series, value in ExpositionReader().read(page).samples:
        if series.name in wanted:
            renamed = {(f"exported_{k}" if k in labels else k): v for k, v in series.labels.items()}
            found.append(
                {"metric": {"__name__": series.name, **labels, **renamed}, "values": [[at, repr(value)]]}
            )
    return json.loads(json.dumps(found))


class TestSelector:
    @pytest.mark.parametrize(
        ("text", "means"),
        [
            ("", ()),
            ("{}", ()),
            ('{job="vllm"}', (Matcher("job", "=", "vllm"),)),
            ("job=vllm", (Matcher("job", "=", "vllm"),)),
            (
                "{job='a b', pod=~\"x|y\", zone!=eu}",
                (Matcher("job", "=", "a b"), Matcher("pod", "=~", "x|y"), Matcher("zone", "!=", "eu")),
            ),
            (r'{path="a\"b\\c\n"}', (Matcher("path", "=", 'a"b\\c\n'),)),
        ],
    )
    def test_reads_what_promql_and_a_hurried_person_write(self, text, means):
        assert parse_selector(text) == means

    @pytest.mark.parametrize(
        "text", ['job="a"} or up{', "up", "{,}", 'job="a', "1job=a", '__name__="up"', 'a="b" c="d"', "a=b}"]
    )
    def test_refuses_everything_else(self, text):
        assert parse_selector(text) is None

    @given(
        st.lists(
            st.tuples(
                st.from_regex(r"\A[a-z][a-z0-9_]{0,8}\Z"), st.sampled_from(["=", "=~", "!=", "!~"]), st.text()
            )
        )
    )
    def test_what_is_written_reads_back(self, given):
        selector = tuple(Matcher(*one) for one in given)
        assert parse_selector(written(selector)) == selector


class TestAddress:
    @pytest.mark.parametrize(
        ("text", "url", "base"),
        [
            ("prometheus+http://prom:9090", "prometheus+http://prom:9090", "http://prom:9090"),
            (
                'prometheus+https://m.example/prometheus/?match={job="vllm"}',
                'prometheus+https://m.example/prometheus?match={job="vllm"}',
                "https://m.example/prometheus",
            ),
            (
                "PROMETHEUS+http://prom:9090?match[]=%7Bpod%3D~%22a%2B%22%7D",
                'prometheus+http://prom:9090?match={pod=~"a+"}',
                "http://prom:9090",
            ),
            (
                "prometheus+http://prom:9090?job=vllm",
                'prometheus+http://prom:9090?match={job="vllm"}',
                "http://prom:9090",
            ),
        ],
    )
    def test_a_server_and_its_selection(self, text, url, base):
        address = parse_address(text)
        assert isinstance(address, Address)
        assert (address.url, address.base) == (url, base)
        assert parse_address(address.url) == address

    def test_credentials_leave_the_url(self):
        address = parse_address("prometheus+https://ops:S3CRET@prom:9090?job=vllm")
        assert isinstance(address, Address)
        assert address.login is not None
        assert "S3CRET" not in repr(address) + address.url + address.base

    @pytest.mark.parametrize(
        "text",
        [
            "prometheus+prom:9090",
            "prometheus+http://prom:99999",
            "prometheus+http://prom:9090?match=a(b",
            "prometheus+ftp://prom:9090",
            "prometheus+http://u:S3?CRET@prom:9090",
            "prometheus+http://u:p?match=S3CRET@prom:9090",
        ],
    )
    def test_one_line_without_secrets_says_what_is_wrong(self, text):
        refused = parse_address(text)
        assert isinstance(refused, BadInput)
        assert "CRET" not in refused.message
        assert refused.message.startswith("prometheus+")
        assert "\n" not in refused.message


class TestGuard:
    @pytest.mark.parametrize("path", PROMETHEUS_PATHS)
    @pytest.mark.parametrize("mount", ["", "/prometheus", "/select/0/prometheus"])
    def test_reading_routes_pass(self, path, mount):
        assert refusal("GET", mount + path, prometheus=True) is None

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/admin/tsdb/delete_series",
            "/-/quit",
            "/-/reload",
            "/api/v1/write",
            "/metrics",
            "/flush_cache",
        ],
    )
    def test_no_other_route_of_a_server_does(self, path):
        assert refusal("GET", path, prometheus=True)

    @pytest.mark.parametrize("path", PROMETHEUS_PATHS)
    def test_they_are_not_for_engines_and_not_for_posting(self, path):
        assert refusal("GET", path)
        assert refusal("POST", path, prometheus=True)


class TestQuery:
    def test_it_stays_short_enough_for_a_get_through_a_proxy(self):
        assert max(len(query_of(names, ())) for names in (scalar_names(), bucket_names())) < 4000

    def test_no_name_is_asked_twice_and_parts_hold_all(self):
        assert not set(scalar_names()) & set(bucket_names())
        for count in (1, 2, 7, 500):
            dealt = [name for part in parts(bucket_names(), count) for name in part]
            assert sorted(dealt) == sorted(bucket_names())


class TestPages:
    @pytest.mark.parametrize(
        "capture",
        [
            "vllm-0.33.0-v1-rendered",
            "vllm-0.32.0-v1-dp2-rendered",
            "vllm-0.10.2-v0-rendered",
            "sglang-0.5.23-metrics",
            "sglang-0.5.4-metrics",
        ],
    )
    def test_a_page_that_went_through_a_server_reads_as_the_engines_own(self, capture):
        own = (CAPTURES / f"{capture}.txt").read_text()
        (found,) = scrapes(answer(own), {}).values()
        through = EngineReader().read(found.page(100.0))
        direct = EngineReader().read(own)
        assert (through.engine, through.models, through.ranks) == (direct.engine, direct.models, direct.ranks)
        for signal in CHOSEN:
            if signal in through.values or direct.values.get(signal):
                assert through.values[signal] == direct.values[signal], signal
        for signal in (Signal.TTFT, Signal.ITL):
            assert through.histograms.get(signal) == direct.histograms.get(signal)
        assert through.doubts == ()

    def test_a_label_of_the_target_does_not_hide_the_engines(self):
        """A target labelled engine="vllm" makes the server rename the engine's own label."""
        own = (CAPTURES / "vllm-0.32.0-v1-dp2-rendered.txt").read_text()
        (found,) = scrapes(answer(own, engine="vllm", model_name="fleet"), {}).values()
        assert EngineReader().read(found.page(100.0)).ranks == EngineReader().read(own).ranks

    def test_targets_are_told_apart_and_named(self):
        own = (CAPTURES / "vllm-0.33.0-v1-rendered.txt").read_text()
        both = answer(own) + answer(own, instance="gpu-2:8000")
        found = scrapes(both, {})
        assert len(found) == 2
        assert {address_of(f.labels) for f in found.values()} == {
            f'{{namespace="prod",job="engines",instance="gpu-{n}:8000"}}' for n in (1, 2)
        }

    def test_samples_of_one_scrape_make_one_page_and_known_ones_none(self):
        series = answer("vllm:num_requests_running 1\n", 100.0)
        for one in series:
            one["values"].append([115.0, "1"])
        (key,) = scrapes(series, {})
        assert sorted(scrapes(series, {})[key].lines) == [100.0, 115.0]
        assert sorted(scrapes(series, {key: 100.0})[key].lines) == [115.0]
        assert scrapes(series, {})[key].spacing == 15.0

    def test_hostile_label_values_stay_label_values(self):
        evil = 'a"} 1\nvllm:num_requests_running{x="\\'
        series = [
            {
                "metric": {"__name__": "vllm:num_requests_running", "model_name": evil, **TARGET},
                "values": [[1.0, "7"]],
            }
        ]
        (found,) = scrapes(series, {}).values()
        page = ExpositionReader().read(found.page(1.0))
        assert page.bad_lines == 0
        assert [(s.labels["model_name"], v) for s, v in page.samples] == [(evil, 7.0)]


class TestReplica:
    @staticmethod
    def found(*scraped: tuple[float, str | None, int]):
        """Scrapes as (time, value of `up` or None, how many samples)."""
        series: list[dict] = []
        for at, up, samples in scraped:
            if up is not None:
                series.append({"metric": {"__name__": "up", **TARGET}, "values": [[at, up]]})
            for n in range(samples):
                metric = {"__name__": "vllm:num_requests_running", "engine": str(n), **TARGET}
                series.append({"metric": metric, "values": [[at, "1"]]})
        (one,) = scrapes(series, {}).values()
        return one

    def kinds(self, polls) -> list[str]:
        return [what.kind.value if isinstance(what, Failure) else "page" for _, what in polls]

    def test_scrapes_come_once_and_in_order(self):
        replica = Replica("e", "gpu-1")
        first = self.found((10.0, "1", 2), (5.0, "1", 2))
        assert [at for at, _ in replica.polls(first, "prom", wait=True)] == [5.0, 10.0]
        assert replica.polls(first, "prom", wait=True) == []

    def test_a_failed_scrape_is_an_engine_that_cannot_be_reached(self):
        polls = Replica("e", "gpu-1").polls(self.found((5.0, "1", 2), (10.0, "0", 0)), "prom", wait=True)
        assert self.kinds(polls) == ["page", FailureKind.UNREACHABLE]
        assert "prom cannot scrape gpu-1" in polls[1][1].message

    def test_a_scrape_without_engine_metrics_is_not_taken_for_zero(self):
        replica = Replica("e", "gpu-1", size=2)
        assert replica.polls(self.found((5.0, "1", 0)), "prom", wait=True) == []
        polls = replica.polls(self.found((5.0, "1", 0)), "prom", wait=True)
        assert self.kinds(polls) == [FailureKind.NOT_METRICS]

    def test_half_a_scrape_is_waited_for_once(self):
        replica = Replica("e", "gpu-1")
        replica.polls(self.found((5.0, "1", 4)), "prom", wait=True)
        assert replica.polls(self.found((5.0, "1", 4), (10.0, "1", 3)), "prom", wait=True) == []
        (whole,) = replica.polls(self.found((10.0, "1", 4)), "prom", wait=True)
        assert EngineReader().read(whole[1]).values[Signal.RUNNING] == 4.0

    def test_an_engine_that_lost_a_series_for_good_is_taken_as_it_is(self):
        replica = Replica("e", "gpu-1")
        replica.polls(self.found((5.0, "1", 4)), "prom", wait=True)
        less = self.found((10.0, "1", 3))
        assert replica.polls(less, "prom", wait=True) == []
        assert self.kinds(replica.polls(less, "prom", wait=True)) == ["page"]
        assert replica.size == 3


def test_an_engines_page_without_its_own_name_is_of_nobody():
    (found,) = scrapes(answer("process_start_time_seconds 5\n"), {}).values()
    assert EngineReader().read(found.page(100.0)).engine is Engine.UNKNOWN
