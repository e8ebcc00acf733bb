"""`inferguard watch` as a service: real processes, a real Prometheus and Alertmanager, a real webhook receiver."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.core.test_watch import page
from tests.e2e.installed import (
    PageServer,
    Receiver,
    alertmanager,
    answers,
    free_port,
    get,
    prometheus,
    until,
    write_targets,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INFERGUARD = [sys.executable, "-m", "inferguard_tui", "watch", "--interval", "0.5"]


class Running:
    """A service, what it prints, and where it listens."""

    def __init__(self, child: subprocess.Popen[str], listen: str, out: Path) -> None:
        self.child = child
        self.url = f"http://{listen}"
        self._out = out

    @property
    def printed(self) -> str:
        return self._out.read_text()

    def metrics(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        """Samples by name, as the reference parser reads them."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families(text):
            assert family.documentation
            assert family.type != "unknown"
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    def anomaly(self, name: str, kind: str) -> float | None:
        wanted = (
            v
            for labels, v in self.metrics().get("inferguard_anomaly", ())
            if labels["instance"] == name and labels["kind"] == kind
        )
        return next(wanted, None)

    def names(self) -> set[str]:
        return {labels["instance"] for labels, _ in self.metrics().get("inferguard_endpoint_info", ())}


@contextmanager
def service(where: Path, *arguments: str, **variables: str) -> Iterator[Running]:
    listen = f"127.0.0.1:{free_port()}"
    out = where / f"out-{free_port()}"
    with out.open("w") as log:
        child = subprocess.Popen(
            [*INFERGUARD, "--listen", listen, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "INFERGUARD_STATE_DIR": str(where / "state"), **variables},
        )
        try:
            until(lambda: child.poll() is not None or answers(f"http://{listen}/healthz"))
            assert child.poll() is None, out.read_text()
            yield Running(child, listen, out)
        finally:
            child.terminate()
            assert child.wait(15) in (0, 1, 2, 3)
            assert "Traceback" not in out.read_text(), out.read_text()


@pytest.fixture
def engine() -> Iterator[PageServer]:
    counter = count(1)
    server = PageServer(lambda: page(next(counter)))
    yield server
    server.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


class TestPages:
    def test_metrics_say_how_the_engine_is_and_nothing_that_is_not_known(
        self, tmp_path: Path, engine: PageServer
    ) -> None:
        with service(tmp_path, engine.name) as running:
            until(lambda: running.anomaly(engine.name, "queue_growth") is not None)
            found = running.metrics()
            ((labels, value),) = found["inferguard_endpoint_up"]
            assert (labels, value) == ({"endpoint": f"http://{engine.name}", "instance": engine.name}, 1.0)
            kinds = {labels["kind"] for labels, _ in found["inferguard_anomaly"]}
            blind = {labels["kind"] for labels, _ in found["inferguard_rule_blind"]}
            assert blind
            assert not kinds & blind, "a rule without input is neither firing nor fine"
            assert {v for _, v in found["inferguard_anomaly"]} == {0.0}
            assert found["inferguard_polls_total"][0][1] >= 1
            assert found["process_resident_memory_bytes"][0][1] > 1e6
            assert found["inferguard_poll_duration_seconds_count"][0][1] >= 1
            assert 0 <= found["inferguard_loop_lag_seconds"][0][1] < 5

            engine.close()
            until(lambda: running.anomaly(engine.name, "endpoint_down") == 3.0)
            found = running.metrics()
            assert {labels["kind"] for labels, _ in found["inferguard_anomaly"]} == {
                "endpoint_down",
                "engine_restart",
            }
            assert "inferguard_endpoint_severity" not in found, "no data is not health"
            assert found["inferguard_endpoint_up"][0][1] == 0.0
            assert found["inferguard_incident_open"][0][1] == 1.0
            assert {labels["reason"] for labels, _ in found["inferguard_poll_failures_total"]} == {"Refused"}

    def test_health_is_ours_and_not_the_engines(self, tmp_path: Path) -> None:
        with service(tmp_path, f"127.0.0.1:{free_port()}") as running:
            told = get(f"{running.url}/healthz")
            assert told["status"] == "ok"
            assert (told["endpoints"], told["answering"]) == (1, 0)

    def test_there_is_no_other_path_and_no_other_method(self, tmp_path: Path, engine: PageServer) -> None:
        with service(tmp_path, engine.name) as running:
            assert not answers(running.url)
            request = urllib.request.Request(f"{running.url}/metrics", data=b"x", method="POST")
            with pytest.raises(urllib.error.HTTPError, match="405"):
                urllib.request.urlopen(request, timeout=5)

    def test_a_place_that_is_taken_is_one_line(self, tmp_path: Path, engine: PageServer) -> None:
        done = subprocess.run(
            [*INFERGUARD, engine.name, "--listen", engine.name, "--duration", "1"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 3
        assert f"--listen {engine.name}: " in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_real_prometheus_scrapes_it(self, tmp_path: Path, engine: PageServer) -> None:
        with ExitStack() as stack:
            running = stack.enter_context(service(tmp_path, engine.name))
            at = running.url.removeprefix("http://")
            config = (
                "global: {scrape_interval: 1s}\n"
                f"scrape_configs: [{{job_name: inferguard, static_configs: [{{targets: ['{at}']}}]}}]\n"
            )
            server = stack.enter_context(prometheus(tmp_path / "server", config))

            def asked() -> object:
                query = quote('inferguard_anomaly{kind="queue_growth"}')
                return get(f"http://{server}/api/v1/query?query={query}")["data"]["result"]

            (found,) = until(asked)
            assert found["metric"]["endpoint"] == f"http://{engine.name}"
            assert found["value"][1] == "0"
            targets = get(f"http://{server}/api/v1/targets")["data"]["activeTargets"]
            assert [(t["health"], t["lastError"]) for t in targets] == [("up", "")]


class TestAlertmanager:
    def test_an_incident_fires_once_and_resolves(
        self, tmp_path: Path, engine: PageServer, receiver: Receiver
    ) -> None:
        with (
            alertmanager(tmp_path / "am", receiver=receiver.url) as am,
            service(
                tmp_path, engine.name, "--alertmanager", f"http://{am}", INFERGUARD_WATCH_RESEND_SECONDS="1"
            ) as running,
        ):
            until(lambda: running.anomaly(engine.name, "endpoint_down") == 0.0)
            engine.close()

            def active() -> list[dict]:
                return get(f"http://{am}/api/v2/alerts?active=true")

            (alert,) = until(active)
            assert alert["labels"] == {
                "alertname": "InferGuardIncident",
                "severity": "critical",
                "instance": engine.name,
                "endpoint": f"http://{engine.name}",
                "engine": "vllm",
                "model": "m",
            }
            assert "endpoint_down" in alert["annotations"]["summary"]
            assert alert["generatorURL"] == f"{running.url}/metrics"

            time.sleep(5.5)
            assert len(active()) == 1, "sent again before it would have ended by itself after 4 s"
            assert running.metrics()["inferguard_alert_requests_total"][0][1] >= 4

            engine.open()
            until(lambda: not active())
            until(lambda: [p["status"] for p in receiver.posts][-1:] == ["resolved"])
            assert [p["status"] for p in receiver.posts] == ["firing", "resolved"]

    def test_a_monitor_that_dies_leaves_no_alert_behind(self, tmp_path: Path, engine: PageServer) -> None:
        engine.close()
        with alertmanager(tmp_path / "am") as am:
            with service(
                tmp_path, engine.name, "--alertmanager", f"http://{am}", INFERGUARD_WATCH_RESEND_SECONDS="1"
            ) as running:
                until(lambda: get(f"http://{am}/api/v2/alerts?active=true"))
                running.child.send_signal(signal.SIGKILL)
                running.child.wait()
                running.child.returncode = 0
            until(lambda: not get(f"http://{am}/api/v2/alerts?active=true"), 10)

    def test_while_it_is_away_polls_go_on_and_then_it_learns_what_is(
        self, tmp_path: Path, engine: PageServer
    ) -> None:
        port = free_port()
        engine.close()
        with service(
            tmp_path,
            engine.name,
            "--alertmanager",
            f"http://127.0.0.1:{port}",
            INFERGUARD_WATCH_RESEND_SECONDS="2",
        ) as running:
            until(lambda: running.anomaly(engine.name, "endpoint_down") == 3.0)
            until(lambda: running.metrics()["inferguard_alert_failures_total"][0][1] >= 1)
            states = {
                labels["part"]: labels["state"] for labels, _ in running.metrics()["inferguard_part_state"]
            }
            assert states[f"alertmanager 127.0.0.1:{port}"] == "no answer"
            assert running.metrics()["inferguard_alerts_waiting"][0][1] == 1
            with alertmanager(tmp_path / "am", port=port) as am:
                (alert,) = until(lambda: get(f"http://{am}/api/v2/alerts?active=true"), 30)
                assert alert["labels"]["instance"] == engine.name
                until(lambda: running.metrics()["inferguard_alerts_waiting"][0][1] == 0)


class TestWebhook:
    def test_every_edge_comes_once_in_order_with_all_there_is_to_know(
        self, tmp_path: Path, engine: PageServer, receiver: Receiver
    ) -> None:
        with service(tmp_path, engine.name, "--alert-webhook", f"{receiver.url}/hook/S3CRET") as running:
            until(lambda: running.anomaly(engine.name, "endpoint_down") == 0.0)
            engine.close()
            until(lambda: any(p["cause"] for p in receiver.posts), 30)
            engine.open()
            until(lambda: [p["status"] for p in receiver.posts][-1:] == ["resolved"])
            assert "S3CRET" not in running.printed + json.dumps(get(f"{running.url}/healthz"))
        assert receiver.posts[0]["status"] == "firing"
        assert [p["status"] for p in receiver.posts].count("firing") == 1
        assert [p["status"] for p in receiver.posts].count("resolved") == 1
        first, last = receiver.posts[0], receiver.posts[-1]
        assert first["schema"] == "inferguard.alert/1"
        assert first["incident_id"] == last["incident_id"]
        assert first["severity"] == "critical"
        assert first["anomalies"] == ["endpoint_down"]
        assert last["ended_unix"] > last["onset_unix"]
        assert {p["cause"] for p in receiver.posts} >= {"engine_down"}
        keys = [h["idempotency-key"] for h in receiver.headers]
        assert len(set(keys)) == len(keys)

    @pytest.mark.parametrize("status", [500, 307])
    def test_a_receiver_that_fails_gets_it_later_and_no_redirect_is_followed(
        self, tmp_path: Path, engine: PageServer, receiver: Receiver, status: int
    ) -> None:
        receiver.status = status
        engine.close()
        with service(tmp_path, engine.name, "--alert-webhook", receiver.url) as running:
            until(lambda: running.metrics().get("inferguard_alert_failures_total", [({}, 0)])[0][1] >= 1)
            assert receiver.posts == []
            receiver.status = 200
            until(lambda: receiver.posts, 30)
            assert receiver.posts[0]["status"] == "firing"

    def test_a_receiver_that_never_answers_costs_no_poll(self, tmp_path: Path, engine: PageServer) -> None:
        counter = count(1)
        other = PageServer(lambda: page(next(counter)))
        with socket.socket() as hung:
            hung.bind(("127.0.0.1", 0))
            hung.listen()
            engine.close()
            try:
                with service(
                    tmp_path,
                    engine.name,
                    other.name,
                    "--alert-webhook",
                    f"http://127.0.0.1:{hung.getsockname()[1]}",
                ) as running:
                    until(lambda: running.anomaly(engine.name, "endpoint_down") == 3.0)
                    before = {v["instance"]: n for v, n in running.metrics()["inferguard_polls_total"]}
                    time.sleep(3)
                    after = {v["instance"]: n for v, n in running.metrics()["inferguard_polls_total"]}
                    assert after[other.name] - before[other.name] >= 4
            finally:
                other.close()


class TestLists:
    def test_a_file_is_followed_as_it_changes(self, tmp_path: Path, engine: PageServer) -> None:
        counter = count(1)
        other = PageServer(lambda: page(next(counter)))
        targets = tmp_path / "targets.json"
        write_targets(targets, [engine.name], instance="first")
        try:
            with service(tmp_path, "--file-sd", str(targets)) as running:
                until(lambda: running.names() == {"first"})
                write_targets(targets, [engine.name, other.name])
                until(lambda: running.names() == {"first", other.name})
                targets.write_text("[{")
                time.sleep(2)
                assert running.names() == {"first", other.name}, "a broken list changes nothing"
                parts = get(f"{running.url}/healthz")["parts"]
                assert parts["targets.json"] == "unreadable"
                write_targets(targets, [other.name])
                until(lambda: running.names() == {other.name})
        finally:
            other.close()

    def test_an_endpoint_that_leaves_takes_its_alert_along(
        self, tmp_path: Path, engine: PageServer, receiver: Receiver
    ) -> None:
        targets = tmp_path / "targets.json"
        write_targets(targets, [engine.name])
        engine.close()
        with service(tmp_path, "--file-sd", str(targets), "--alert-webhook", receiver.url):
            until(lambda: receiver.posts)
            write_targets(targets, [])
            until(lambda: receiver.posts[-1]["status"] == "resolved")
            assert receiver.posts[-1]["because"] == "the endpoint is no longer watched"

    def test_a_url_is_asked_again_and_at_once_on_sighup(self, tmp_path: Path, engine: PageServer) -> None:
        listed = [{"targets": [engine.name], "labels": {"__scheme__": "http"}}]
        server = PageServer(lambda: json.dumps(listed))
        counter = count(1)
        other = PageServer(lambda: page(next(counter)))
        try:
            with service(
                tmp_path,
                "--http-sd",
                f"http://{server.name}/metrics",
                INFERGUARD_WATCH_HTTP_SD_SECONDS="3600",
            ) as running:
                until(lambda: running.names() == {engine.name})
                listed.append({"targets": [other.name], "labels": {}})
                running.child.send_signal(signal.SIGHUP)
                until(lambda: running.names() == {engine.name, other.name})
                server.close()
                running.child.send_signal(signal.SIGHUP)
                until(lambda: get(f"{running.url}/healthz")["parts"][server.name] == "unreadable")
                assert running.names() == {engine.name, other.name}
        finally:
            server.close()
            other.close()


def test_the_service_manager_is_told(tmp_path: Path, engine: PageServer, monkeypatch) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(10)
        with service(tmp_path, engine.name, NOTIFY_SOCKET=str(address), WATCHDOG_USEC="1000000"):
            assert manager.recv(100) == b"READY=1"
            assert manager.recv(100) == b"WATCHDOG=1"
            assert manager.recv(100) == b"WATCHDOG=1"
        last = b""
        manager.settimeout(0.5)
        while last != b"STOPPING=1":
            last = manager.recv(100)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"INFERGUARD_WATCH_ALERTMANAGER": "am:9093"}, "is not an http(s) URL"),
        ({"INFERGUARD_WATCH_ALERT_WEBHOOK": "ftp://S3CRET"}, "is not an http(s) URL"),
        ({"INFERGUARD_WATCH_LISTEN": "nowhere"}, "HOST:PORT"),
        ({"INFERGUARD_WATCH_SPOOL": "0"}, "1 to 100000"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(engine: PageServer, setting: dict[str, str], said: str) -> None:
    done = subprocess.run(
        [*INFERGUARD, engine.name, "--duration", "1"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, **setting},
    )
    assert done.returncode == 3
    assert said in done.stderr
    assert "S3CRET" not in done.stderr
    assert "Traceback" not in done.stderr
