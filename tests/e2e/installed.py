"""Real servers for tests: started on loopback, ended with the block. A test skips only where one is not installed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package {package})")
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
