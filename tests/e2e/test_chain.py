"""The whole chain of real processes: engines, the Prometheus that scrapes them, us, Alertmanager, and who it tells.

Also what a hostile label may do on the way: nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import quote

from inferguard_tui.simulator.launch import launched
from tests.e2e.installed import (
    PageServer,
    Receiver,
    alertmanager,
    get,
    prometheus,
    scraping,
    until,
    write_targets,
)
from tests.e2e.service_process import service

if TYPE_CHECKING:
    from pathlib import Path


def scrapes(server: str) -> float:
    """Of the engine, as the server counts them."""
    query = quote("count_over_time(vllm:num_requests_running[5m])")
    found = get(f"http://{server}/api/v1/query?query={query}")["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def test_an_overload_behind_a_prometheus_reaches_the_pager_with_its_cause(
    tmp_path: Path, receiver: Receiver
) -> None:
    with ExitStack() as stack:
        overloaded, healthy = stack.enter_context(launched("recovery,healthy", "vllm", 2, 1))
        write_targets(tmp_path / "sd.json", [overloaded, healthy], cluster="north")
        server = stack.enter_context(prometheus(tmp_path / "server", scraping(tmp_path / "sd.json")))
        am = stack.enter_context(alertmanager(tmp_path / "am", receiver=receiver.url))
        hook = Receiver()
        stack.callback(hook.close)
        running = stack.enter_context(
            service(
                tmp_path,
                f"prometheus+http://{server}",
                "--alertmanager",
                f"http://{am}",
                "--alert-webhook",
                hook.url,
            )
        )
        until(lambda: any(p["cause"] for p in hook.posts), 40)
        name = overloaded.removeprefix("http://")
        assert {p["name"] for p in hook.posts} == {name}, "only the engine in trouble is told of"
        assert hook.posts[-1]["endpoint"] == (
            f'prometheus+http://{server}?match={{cluster="north",job="engines",instance="{name}"}}'
        )
        assert hook.posts[-1]["advice"]
        until(lambda: any("cause" in a["annotations"] for a in get(f"http://{am}/api/v2/alerts?active=true")))
        pages = [alert for post in until(lambda: receiver.posts) for alert in post["alerts"]]
        assert {a["labels"]["instance"] for a in pages} == {name}
        assert running.names() == {name, healthy.removeprefix("http://")}

        # What we say of the fleet is scraped by the same server, and agrees.
        scraped = get(f"http://{server}/api/v1/query?query={quote('up')}")["data"]["result"]
        assert len(scraped) == 2
        states = {labels["part"]: labels["state"] for labels, _ in running.metrics()["inferguard_part_state"]}
        assert states[server] == "ok"


def test_an_incident_that_was_over_before_we_came_wakes_nobody(tmp_path: Path) -> None:
    """A server remembers an outage; judging the past at the start must not page anybody for it."""
    page = 'vllm:num_requests_running{engine="0",model_name="m"} 1\nvllm:num_requests_waiting{engine="0",model_name="m"} 0\n'
    engine, hook = PageServer(lambda: page), Receiver()
    with ExitStack() as stack:
        stack.callback(hook.close)
        stack.callback(engine.close)
        write_targets(tmp_path / "sd.json", [f"http://{engine.name}"])
        server = stack.enter_context(prometheus(tmp_path / "server", scraping(tmp_path / "sd.json")))
        until(lambda: scrapes(server) >= 3)
        engine.close()
        time.sleep(6)
        engine.open()
        time.sleep(12)
        running = stack.enter_context(
            service(tmp_path, f"prometheus+http://{server}", "--alert-webhook", hook.url)
        )
        until(lambda: running.anomaly(engine.name, "endpoint_down") == 0.0)
        until(lambda: "endpoint_down" in running.printed)
        time.sleep(2)
        assert hook.posts == []


def test_labels_that_would_drive_a_terminal_arrive_as_text(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[31mred"
    page = f'vllm:num_requests_running{{engine="0",model_name="{evil}"}} 1\n'
    engine, hook = PageServer(lambda: page), Receiver()
    with ExitStack() as stack:
        stack.callback(hook.close)
        stack.callback(engine.close)
        write_targets(
            tmp_path / "sd.json", [f"http://{engine.name}"], instance=f"{evil}\nnext", pod='x"}or up{'
        )
        server = stack.enter_context(prometheus(tmp_path / "server", scraping(tmp_path / "sd.json")))
        until(lambda: scrapes(server) >= 3)
        done = subprocess.run(
            [sys.executable, "-m", "inferguard_tui", "scan", f"prometheus+http://{server}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "\x1b" not in done.stdout
        assert "\x07" not in done.stdout
        assert "]0;owned[31mred" in done.stdout
        engine.close()
        running = stack.enter_context(
            service(tmp_path, f"prometheus+http://{server}", "--alert-webhook", hook.url)
        )
        until(lambda: hook.posts)
        for text in (json.dumps(hook.posts, ensure_ascii=False), running.printed):
            assert "\x1b" not in text
            assert "\x07" not in text
        assert running.metrics()["inferguard_endpoint_info"], "the reference parser reads our page"
