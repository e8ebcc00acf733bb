"""Incidents told to a real Alertmanager and to a webhook receiver, by a service in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.core.test_watch import page
from tests.e2e.installed import (
    PageServer,
    Receiver,
    alertmanager,
    free_port,
    get,
    until,
)
from tests.e2e.service_process import service

if TYPE_CHECKING:
    from pathlib import Path


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
