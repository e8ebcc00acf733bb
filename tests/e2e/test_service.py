"""`inferguard watch` as a service: its pages, scraped by a real Prometheus, and the target lists it follows."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.core.test_watch import page
from tests.e2e.installed import (
    PageServer,
    Receiver,
    answers,
    free_port,
    get,
    prometheus,
    until,
    write_targets,
)
from tests.e2e.service_process import WATCH, service

if TYPE_CHECKING:
    from pathlib import Path


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
            [*WATCH, engine.name, "--listen", engine.name, "--duration", "1"],
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
        [*WATCH, engine.name, "--duration", "1"],
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
