"""Every credential at once, in real processes against servers that misbehave: none is found afterwards in anything said or kept."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.core.test_watch import page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRETS = {
    name: f"s3cret-{name}-91c7" for name in ("bearer", "llm", "redis", "vector", "hmac", "hook", "daytona")
}


class Server:
    """An engine that wants a token, then sends elsewhere, then repeats the token in its error; and an LLM that does."""

    def __init__(self) -> None:
        self.mode = "good"
        self.seen: list[str] = []
        self.elsewhere: list[str] = []
        self._began = time.monotonic()
        self._servers: list[ThreadingHTTPServer] = []
        self.url, self.other = (self._serve(answer) for answer in (self._answer, self._other))

    def _serve(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def do_POST(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        given = request.headers.get("Authorization", "")
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.seen.append(given)
        body, status = b"", 404
        if "metrics" in request.path and self.mode == "good":
            since = time.monotonic() - self._began
            body, status = page(since, kv=0.99, running=40, waiting=300 + 40 * int(since)).encode(), 200
        elif "metrics" in request.path or "chat" in request.path:
            status = 302 if self.mode == "redirect" else 401
            body = f"bad token {given}\n".encode()
        request.send_response(status, f"no {given}" if status == 401 else None)
        if status == 302:
            request.send_header("Location", f"{self.other}/elsewhere/metrics")
        request.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):
            request.end_headers()
            request.wfile.write(body)

    def _other(self, request: BaseHTTPRequestHandler) -> None:
        # Whoever looks for engines on this host asks for /metrics here, too: that is no redirect.
        if request.path != "/metrics":
            self.elsewhere.append(request.path)
        request.send_response(200)
        request.end_headers()

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def environment(server: Server, state: Path) -> dict[str, str]:
    given = {
        "INFERGUARD_BEARER_TOKEN": SECRETS["bearer"], "GMI_API_KEY": SECRETS["llm"],
        "GMI_BASE_URL": f"{server.url}/v1", "UPSTASH_REDIS_URL": server.url,
        "UPSTASH_REDIS_TOKEN": SECRETS["redis"], "UPSTASH_VECTOR_URL": server.url,
        "UPSTASH_VECTOR_TOKEN": SECRETS["vector"], "DAYTONA_API_KEY": SECRETS["daytona"],
        "INFERGUARD_ACTUATION_MODE": "dry_run", "INFERGUARD_ACTUATION_SECRET": SECRETS["hmac"],
        "INFERGUARD_ACTUATION_ENDPOINT": f"{server.url}/act", "INFERGUARD_ACTUATION_ALLOWLIST": "throttle_concurrency",
        "INFERGUARD_WATCH_ALERT_WEBHOOK": f"{server.url}/hooks/{SECRETS['hook']}", "INFERGUARD_STATE_DIR": str(state),
    }  # fmt: skip
    return os.environ | given


def test_no_credential_is_left_anywhere(server: Server, tmp_path: Path) -> None:
    state, said = tmp_path / "state", []
    recording = tmp_path / "x.jsonl.gz"

    def run(*arguments: str) -> None:
        command = [sys.executable, "-m", "inferguard_tui", *arguments]
        done = subprocess.run(
            command, env=environment(server, state), capture_output=True, text=True, timeout=90, check=False
        )
        said.extend((done.stdout, done.stderr))

    run("watch", server.url, "--interval", "1", "--duration", "20", "--json")
    assert '"event": "incident"' in said[0]
    run("incidents", "list", "--json")
    (first, *_) = json.loads(said[-2])
    run("incidents", "export", first["incident_id"])
    for mode in ("good", "echo", "redirect"):
        server.mode = mode
        run("scan", server.url)
        run("record", server.url, "-o", str(recording), "--duration", "2", "--force")
        said.append(gzip.decompress(recording.read_bytes()).decode())
        run("watch", server.url, "--interval", "1", "--duration", "4")
        run("doctor", server.url, "--json")
    assert f"Bearer {SECRETS['bearer']}" in server.seen, "the engine was asked with its token"
    assert f"Bearer {SECRETS['llm']}" in server.seen, "the model was asked with its key"
    assert server.elsewhere == [], "no redirect was followed"
    files = [path for path in state.rglob("*") if path.is_file()]
    assert {"inferguard.log", "audit.jsonl"} & {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        said.append((gzip.decompress(content) if path.suffix == ".gz" else content).decode("latin-1"))
        assert path.stat().st_mode & 0o077 == 0, path
    for folder in (state, *(path for path in state.rglob("*") if path.is_dir())):
        assert folder.stat().st_mode & 0o077 == 0, folder
    for secret in SECRETS.values():
        assert [text[max(0, text.find(secret) - 80) :][:160] for text in said if secret in text] == []
