"""Real servers for tests: started on loopback, ended with the block. A test skips only where one is not installed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


def program(name: str, package: str) -> str:
    """Its path. Skips where it is absent, but not in a CI that could have installed it: there nothing may be left out."""
    found = shutil.which(name)
    if found is None:
        said = f"{name} is not installed (Debian package {package})"
        if os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
            pytest.fail(said)
        pytest.skip(said)
    return found


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def until(what: Callable[[], object], seconds: float = 20.0, step: float = 0.1) -> object:
    """The first true answer of `what`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(step)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@contextmanager
def prometheus(
    where: Path, config: str, *more: str, port: int | None = None, ready: bool = True
) -> Iterator[str]:
    """A Prometheus server with this configuration; its address without a scheme."""
    binary = program("prometheus", "prometheus")
    at = f"127.0.0.1:{port or free_port()}"
    where.mkdir(exist_ok=True)
    (where / "prometheus.yml").write_text(config)
    command = [
        binary,
        f"--config.file={where / 'prometheus.yml'}",
        f"--storage.tsdb.path={where / 'data'}",
        f"--web.listen-address={at}",
        "--log.level=warn",
        *more,
    ]
    with process(command, where / "log"):
        if ready:
            until(lambda: answers(f"http://{at}/-/ready"))
        yield at


def scraping(targets: Path, seconds: float = 1.0, job: str = "engines") -> str:
    """A configuration that scrapes the targets of a file_sd file."""
    return (
        f"global: {{scrape_interval: {seconds:g}s}}\n"
        "scrape_configs:\n"
        f"- job_name: {job}\n"
        f"  file_sd_configs: [{{files: [{targets}], refresh_interval: 1s}}]\n"
    )


def write_targets(path: Path, urls: Sequence[str], **labels: str) -> None:
    """A file_sd file; replaced in one step, as a deployment would."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps([{"targets": [u.removeprefix("http://") for u in urls], "labels": labels}]))
    fresh.rename(path)


@contextmanager
def alertmanager(
    where: Path, port: int | None = None, receiver: str = "http://127.0.0.1:9/none"
) -> Iterator[str]:
    """An Alertmanager that sends what it gets to `receiver` at once; its address without a scheme."""
    binary = program("prometheus-alertmanager", "prometheus-alertmanager")
    at = f"127.0.0.1:{port or free_port()}"
    where.mkdir(exist_ok=True)
    (where / "alertmanager.yml").write_text(
        "route: {receiver: test, group_by: ['...'], group_wait: 0s, group_interval: 1s}\n"
        f"receivers: [{{name: test, webhook_configs: [{{url: '{receiver}', send_resolved: true}}]}}]\n"
    )
    command = [
        binary,
        f"--config.file={where / 'alertmanager.yml'}",
        f"--storage.path={where / 'data'}",
        f"--web.listen-address={at}",
        "--cluster.listen-address=",
    ]
    with process(command, where / "log"):
        until(lambda: answers(f"http://{at}/-/ready"))
        yield at


class Receiver:
    """An HTTP server that keeps what is posted to it, and answers as told."""

    def __init__(self, port: int = 0) -> None:
        self.posts: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if outer.status == 200:
                    outer.posts.append(json.loads(body))
                    outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                self.send_response(outer.status)
                if outer.status in (301, 302, 307, 308):
                    self.send_header("location", f"http://{self.headers['host']}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class PageServer:
    """An engine's page on a port that can be closed and opened again."""

    def __init__(self, page: Callable[[], str]) -> None:
        self._page = page
        self.port = free_port()
        self.name = f"127.0.0.1:{self.port}"
        self._server: ThreadingHTTPServer | None = None
        self.open()

    def open(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = outer._page().encode() if self.path == "/metrics" else b""
                self.send_response(200 if body else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None
