"""The terminal UI in a real browser, and who is kept out of it."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pyte
import pytest
from playwright.async_api import async_playwright

from inferguard_tui.cli.web import command_line
from inferguard_tui.simulator.launch import launched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import Page

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


class Served:
    """`inferguard web …` on a free port of this host."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "inferguard_tui", "web", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.said = ""
        while "serving on" not in self.said:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line
        self.url = self.said.rpartition("serving on ")[2].strip()

    def pages(self) -> list[int]:
        """Processes that serve a page."""
        done = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(line.split()[0]) for line in done.stdout.splitlines() if "inferguard_tui tui" in line]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    server = Served("--demo", "pressure_ramp", "--theme", "day")
    yield server
    assert server.end() == 0


class Seen:
    """What a page's socket brought, on a screen of its own: the page itself draws on a canvas."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._screen = pyte.Screen(400, 120)
        self._stream = pyte.ByteStream(self._screen)
        page.on("websocket", lambda socket: socket.on("framereceived", self._take))

    def _take(self, data: bytes | str) -> None:
        if isinstance(data, bytes):
            self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-z]", b"", data))

    async def until(self, words: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while words not in (text := "\n".join(row.rstrip() for row in self._screen.display)):
            assert time.monotonic() < deadline, f"{words!r} not seen in:\n{text}"
            await self._page.wait_for_timeout(200)


async def test_a_browser_shows_the_monitor_and_its_keys_work(served: Served) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        refused: list[str] = []
        seen = Seen(page)
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        await page.goto(f"{served.url}/?fontsize=14", wait_until="domcontentloaded")
        await page.wait_for_selector("body.-first-byte", timeout=30_000)
        await seen.until("SIMULATED")
        await seen.until("tok held")
        # As a person does, so that the page has the keyboard.
        await page.mouse.click(300, 8)
        await page.keyboard.press("p")
        await seen.until("PAUSED")
        await page.wait_for_timeout(1000)
        dashboard = await page.screenshot()
        await page.keyboard.press("?")
        await seen.until("Choose the next panel")
        await page.wait_for_timeout(1000)
        assert await page.screenshot() != dashboard
        assert len(served.pages()) == 1
        await browser.close()
    # The one thing that the page wants from elsewhere is a font, which the policy keeps from being asked for.
    assert {re.sub(r"^(https?://[^/]+).*", r"\1", url) for url in asked if "googleapis" not in url} == {
        served.url
    }
    # There is no favicon either.
    assert all("fonts.googleapis.com" in text or "404" in text for text in refused)
    deadline = time.monotonic() + 20
    while served.pages():
        assert time.monotonic() < deadline, "the process of a page outlives it"
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Origin": "http://evil.example"}, "a page from http://evil.example may not open this"),
        ({}, "a page from nowhere may not open this"),
        ({"Origin": "null"}, "a page from null may not open this"),
        ({"Host": "rebound.example", "Origin": "http://rebound.example"}, "not as rebound.example"),
    ],
)
async def test_a_page_from_elsewhere_is_refused(served: Served, headers: dict[str, str], words: str) -> None:
    async with aiohttp.ClientSession() as session:
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
        }
        async with session.get(f"{served.url}/ws", headers={**upgrade, **headers}) as answer:
            assert answer.status == 403
            assert words in await answer.text()
    assert served.pages() == []


@pytest.mark.parametrize("path", ["/static/", "/static/js/", "/static/../server.py", "/download/x"])
async def test_nothing_else_is_served(served: Served, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(served.url + path) as answer:
        assert answer.status == 404
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_the_page_finds_its_socket_by_the_name_it_was_asked_for(served: Served) -> None:
    port = served.url.rpartition(":")[2]
    async with aiohttp.ClientSession() as session, session.get(f"http://localhost:{port}/") as answer:
        assert f"ws://localhost:{port}/ws" in await answer.text()


def test_a_server_that_is_killed_leaves_no_page_behind() -> None:
    server = Served("--demo", "healthy")

    async def open_a_page() -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{server.url}/ws", headers={"Origin": server.url}) as socket,
        ):
            message = await socket.receive(30)
            assert message.type is aiohttp.WSMsgType.BINARY
            (pid,) = server.pages()
            server.process.kill()
            server.process.communicate(timeout=10)
            return pid

    import asyncio

    pid = asyncio.run(open_a_page())
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def run_web(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inferguard_tui", "web", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_one_line(served: Served) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        done = run_web("--port", served.url.rpartition(":")[2], urls[0])
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "choose another with --port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000", "x:1"], "allowed is 0 to 65535"),
        (["--demo", "nonesuch"], "no such scenario"),
        (["--demo", "healthy", "x:1"], "leave out the URLs"),
        (["ftp://x"], "ftp"),
    ],
)
def test_a_mistake_is_said_before_anything_is_served(arguments: list[str], words: str) -> None:
    done = run_web(*arguments)
    assert done.returncode == 3
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_that_others_reach_is_warned_of() -> None:
    server = Served("--demo", "healthy", "--host", "0.0.0.0")
    assert "can be reached from outside this host and there is no password" in server.said
    assert server.end() == 0


def given(**changed: object) -> Namespace:
    empty = dict.fromkeys(("config", "ca", "deadline", "interval", "theme", "insecure"))
    return Namespace(**{**empty, "host": "127.0.0.1", **changed})


def test_the_command_of_a_page_cannot_be_broken_out_of() -> None:
    odd = "http://x/$(touch /tmp/owned);`id`&|'\"\\ \n"
    command = command_line(given(theme="-x; rm", config="a b"), [odd])
    assert shlex.split(command) == [
        *("exec", sys.executable, "-m", "inferguard_tui", "tui"),
        *("--config=a b", "--theme=-x; rm", "--", odd),
    ]
    echoed = subprocess.run(
        command.replace(shlex.quote(sys.executable), "printf '%s\\0'", 1).removeprefix("exec "),
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert echoed.stdout.split("\0")[-2] == odd


def test_only_this_host_may_act() -> None:
    assert "--read-only" not in command_line(given(), ["x:1"])
    assert " --read-only -- x:1" in command_line(given(host="0.0.0.0"), ["x:1"])
