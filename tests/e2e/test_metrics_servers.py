"""Other servers with Prometheus' API: a real VictoriaMetrics and its vmauth, and what Thanos and Mimir add to answers.

Thanos and Mimir are not packaged. What their documentation says of the protocol (tenants by header, a path in front,
warnings beside the data of a partial answer) is put in front of a real server by a proxy over HTTP.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.frame import Status
from inferguard_core.monitor import Monitor
from inferguard_core.settings import Settings
from inferguard_core.sources.prometheus import fleet as fleet_module
from inferguard_tui.connection import connect
from inferguard_tui.session import access, addresses
from inferguard_tui.simulator.launch import launched
from tests.e2e.installed import (
    answers,
    free_port,
    process,
    program,
    prometheus,
    scraping,
    until,
    write_targets,
)
from tests.e2e.test_prometheus import run, seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "t0ken-nobody-may-read-51c2"


@contextmanager
def victoria(where: Path, targets: Path) -> Iterator[str]:
    """A VictoriaMetrics that scrapes the targets of a file_sd file; its address without a scheme."""
    binary = program("victoria-metrics", "victoria-metrics")
    at = f"127.0.0.1:{free_port()}"
    where.mkdir(exist_ok=True)
    (where / "scrape.yml").write_text(scraping(targets))
    command = [
        binary, f"-promscrape.config={where / 'scrape.yml'}", f"-storageDataPath={where / 'data'}",
        f"-httpListenAddr={at}", "-promscrape.fileSDCheckInterval=1s", "-promscrape.config.strictParse=false",
        "-loggerLevel=ERROR", "-maxLabelsPerTimeseries=60",
    ]  # fmt: skip
    with process(command, where / "log"):
        until(lambda: answers(f"http://{at}/health"))
        yield at


def listens(at: str) -> bool:
    host, _, port = at.partition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def vmauth(where: Path, behind: str) -> Iterator[str]:
    """The proxy of a VictoriaMetrics cluster: one bearer token, one path in front."""
    binary = program("vmauth", "victoria-metrics")
    at = f"127.0.0.1:{free_port()}"
    (where / "auth.yml").write_text(
        f"users:\n- bearer_token: {TOKEN}\n  url_map:\n"
        f"  - src_paths: ['/prometheus/.*']\n    url_prefix: http://{behind}\n"
    )
    command = [binary, f"-auth.config={where / 'auth.yml'}", f"-httpListenAddr={at}", "-loggerLevel=ERROR"]
    with process(command, where / "auth.log"):
        until(lambda: listens(at))
        yield at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """A VictoriaMetrics, its vmauth, and the two engines behind them: one in an overload, one healthy."""
    where = tmp_path_factory.mktemp("victoria")
    with ExitStack() as stack:
        engines = stack.enter_context(launched("recovery,healthy", "vllm", 2, 1))
        write_targets(where / "sd.json", engines)
        server = stack.enter_context(victoria(where / "vm", where / "sd.json"))
        proxy = stack.enter_context(vmauth(where, server))
        time.sleep(12)
        yield server, proxy, tuple(engines)


class TestVictoriaMetrics:
    def test_the_same_is_found_as_in_the_engines_own_pages(
        self, site: tuple[str, str, tuple[str, ...]]
    ) -> None:
        server, _, engines = site
        done = run("scan", f"prometheus+http://{server}", "--samples", "8", "--json")
        found = {one["endpoint"].split('"')[-2]: one for one in json.loads(done.stdout)}
        pressed, healthy = (e.removeprefix("http://") for e in engines)
        assert done.returncode == 2, done.stdout + done.stderr
        assert set(found) == {pressed, healthy}
        assert found[pressed]["status"] == "critical"
        assert "kv_high" in {a["kind"] for a in found[pressed]["anomalies"]}
        assert found[healthy]["status"] == "ok"
        (own,) = [json.loads(run("scan", engines[1], "--json").stdout)]
        assert set(found[healthy]["signals"]) == set(own["signals"])
        known = {name for name, signal in own["signals"].items() if signal is not None}
        assert known - {name for name, signal in found[healthy]["signals"].items() if signal} == set()

    def test_a_page_is_as_old_as_its_scrape(
        self, site: tuple[str, str, tuple[str, ...]], tmp_path: Path
    ) -> None:
        """It answers for half a minute ago where it is not told otherwise; a monitor would be that late."""
        command = [sys.executable, "-m", "inferguard_tui", "watch", f"prometheus+http://{site[0]}"]
        port = free_port()
        options = ["--interval", "1", "--listen", f"127.0.0.1:{port}", "--duration", "60"]
        environment = os.environ | {"INFERGUARD_STATE_DIR": str(tmp_path)}
        with subprocess.Popen(
            [*command, *options], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as child:
            url = f"http://127.0.0.1:{port}/metrics"

            def ages() -> list[float]:
                try:
                    text = urllib.request.urlopen(url, timeout=2).read().decode()
                except OSError:
                    return []
                rows = [r for r in text.splitlines() if r.startswith("inferguard_data_age_seconds{")]
                return [float(row.split()[-1]) for row in rows]

            until(lambda: len(ages()) == 2 and max(ages()) < 4.0, 30)
            child.terminate()

    def test_a_bearer_token_and_a_path_in_front(self, site: tuple[str, str, tuple[str, ...]]) -> None:
        _, proxy, _ = site
        url = f"prometheus+http://{proxy}/prometheus"
        without = run("scan", url)
        assert "asks for credentials (HTTP 401): set INFERGUARD_BEARER_TOKEN" in without.stdout
        wrong = run("scan", url, INFERGUARD_BEARER_TOKEN="wrong-" + TOKEN)
        # This version of vmauth says 400 to a token that it does not know.
        assert "HTTP 400" in wrong.stdout
        assert "check the credentials and the path" in wrong.stdout
        right = run("scan", url, "--samples", "6", INFERGUARD_BEARER_TOKEN=TOKEN)
        assert right.returncode == 2, right.stdout
        assert TOKEN not in wrong.stdout + wrong.stderr + right.stdout + right.stderr
        astray = run("scan", f"prometheus+http://{proxy}", INFERGUARD_BEARER_TOKEN=TOKEN)
        assert astray.returncode == 3


class Proxy:
    """In front of a Prometheus: asks for a tenant under a path, as Mimir does, and adds to answers, as Thanos does."""

    def __init__(self, behind: str, prefix: str = "", tenant: str = "") -> None:
        self.added: dict[str, Any] = {}
        self.hidden = ""
        """An instance whose series a store that is away does not bring."""
        self.heads: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.heads.append({k.lower(): v for k, v in self.headers.items()})
                if tenant and self.headers.get("X-Scope-OrgID") != tenant:
                    return self.answer(401, b"no org id\n")
                if not self.path.startswith(prefix + "/"):
                    return self.answer(404, b"404 page not found\n")
                try:
                    with urllib.request.urlopen(f"http://{behind}{self.path.removeprefix(prefix)}") as reply:
                        body = json.load(reply)
                except urllib.error.HTTPError as error:
                    return self.answer(error.code, error.read())
                return self.answer(200, json.dumps(outer.altered(body)).encode())

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.at = f"127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def altered(self, body: dict[str, Any]) -> dict[str, Any]:
        data = body.get("data")
        rows = data.get("result") if isinstance(data, dict) else data
        if self.hidden and isinstance(rows, list):
            rows[:] = [
                r
                for r in rows
                if not isinstance(r, dict) or r.get("metric", r).get("instance") != self.hidden
            ]
        return body | self.added


def test_a_tenant_of_mimir(tmp_path: Path) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        write_targets(tmp_path / "sd.json", urls)
        with prometheus(tmp_path / "server", scraping(tmp_path / "sd.json")) as at:
            proxy = Proxy(at, "/prometheus", "team-a")
            url = f"prometheus+http://{proxy.at}/prometheus"
            without = run("scan", url)
            assert without.returncode == 3
            assert "INFERGUARD_TENANT" in without.stdout
            until(lambda: run("scan", url, INFERGUARD_TENANT="team-a").returncode == 0)
            assert run("scan", urls[0], INFERGUARD_TENANT="team-a").returncode == 0
            proxy.close()


@pytest.mark.parametrize(
    "said",
    [{"warnings": ["No StoreAPIs matched for this query: store-2 is away\x1b[2J"]}, {"isPartial": True}],
)
async def test_a_partial_answer_takes_nobody_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any]
) -> None:
    """A store of Thanos is away: its engines are not seen, and are neither down nor gone. With it back, they are."""
    monkeypatch.setattr(fleet_module, "LEFT_AFTER_S", 3.0)
    monkeypatch.setattr(fleet_module, "LOOK_EVERY_S", 1.0)
    targets = tmp_path / "sd.json"
    with ExitStack() as stack:
        urls = stack.enter_context(launched("healthy,healthy", "vllm", 2, 1))
        write_targets(targets, urls)
        at = stack.enter_context(prometheus(tmp_path / "server", scraping(targets)))
        proxy = Proxy(at)
        found = addresses([f"prometheus+http://{proxy.at}"])
        assert isinstance(found, tuple)
        connection = connect(found, access(Settings()), interval_s=1.0)
        monitor = Monitor((), 1.0, Settings().limits, fleets=connection.fleets)
        monitor.start()
        try:
            await seen(monitor, lambda f: [e.status for e in f.endpoints] == [Status.OK, Status.OK])
            proxy.hidden, proxy.added = urls[1].removeprefix("http://"), said

            def part() -> Any:
                return next(p for p in monitor.frame().parts if p.part == proxy.at)

            await seen(monitor, lambda _: part().state == "partial")
            assert part().detail.isprintable()
            until_s = time.monotonic() + 6.0
            await seen(monitor, lambda _: time.monotonic() > until_s)
            frame = monitor.frame()
            assert len(frame.endpoints) == 2
            assert not any(e.anomalies for e in frame.endpoints)
            assert part().state == "partial"

            proxy.added = {}
            await seen(monitor, lambda f: len(f.endpoints) == 1)
            assert part().state == "ok"
        finally:
            await monitor.close()
            await connection.close()
            proxy.close()
