"""300 replicas behind a real Prometheus server, asked every 15 s: CPU a minute, resident memory, size of an answer.

The server scrapes one process that serves 300 pages of a real vLLM release, with numbers that move. It and the
pages are processes of their own, so the figures are the monitor's alone.
"""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from inferguard_core.settings import Settings
from inferguard_tui.session import LiveFeed, addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLICAS = 300
INTERVAL_S = 15.0
SCRAPED_BEFORE_S = 70.0
MEASURED_S = 120.0
PAGE = Path(__file__).parents[1] / "tests" / "fixtures" / "captures" / "vllm-0.33.0-v1-rendered.txt"
COUNTED = ("_total", "_bucket", "_sum", "_count")


def serve(port: int) -> None:
    """Every path is a page whose counters grow in proportion, each replica at its own pace."""
    lines = [line for line in PAGE.read_text().splitlines() if line and not line.startswith("#")]
    heads = [line.rpartition(" ") for line in lines]
    moving = [head.partition("{")[0].endswith(COUNTED) for head, _, _ in heads]
    began = time.time()

    async def page(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        grown = (1 + number / REPLICAS) * (10 + time.time() - began) / 10
        rows = (
            f"{head} {float(value) * grown if moves else float(value):g}"
            for (head, _, value), moves in zip(heads, moving, strict=True)
        )
        return web.Response(text="\n".join(rows) + "\n")

    application = web.Application()
    application.router.add_get("/{number}/metrics", page)
    web.run_app(application, host="127.0.0.1", port=port, print=None, access_log=None)


@contextmanager
def running(*command: str) -> Iterator[None]:
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        child.wait(20)


def run() -> list[str]:
    binary = shutil.which("prometheus")
    if binary is None:
        return ["prometheus is not installed: not measured"]
    pages, server = 18_931, 18_932
    with ExitStack() as stack:
        where = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets = [
            {
                "targets": [f"127.0.0.1:{pages}"],
                "labels": {
                    "__metrics_path__": f"/{n}/metrics",
                    "instance": f"10.0.{n // 100}.{n % 100}:8000",
                    "pod": f"vllm-llama-70b-{n:03}",
                    "namespace": "inference",
                    "node": f"gpu-node-{n // 8:02}",
                },
            }
            for n in range(REPLICAS)
        ]
        (where / "targets.json").write_text(json.dumps(targets))
        (where / "prometheus.yml").write_text(
            f"global: {{scrape_interval: {INTERVAL_S:g}s}}\n"
            "scrape_configs:\n- job_name: vllm\n"
            f"  file_sd_configs: [{{files: [{where / 'targets.json'}]}}]\n"
        )
        stack.enter_context(running(sys.executable, "-m", "bench.prometheus_fleet", str(pages)))
        stack.enter_context(
            running(
                binary,
                f"--config.file={where / 'prometheus.yml'}",
                f"--storage.tsdb.path={where / 'data'}",
                f"--web.listen-address=127.0.0.1:{server}",
            )
        )
        time.sleep(SCRAPED_BEFORE_S)
        return asyncio.run(_measure(f"prometheus+http://127.0.0.1:{server}"))


async def _measure(url: str) -> list[str]:
    endpoints = addresses([url])
    assert isinstance(endpoints, tuple)
    feed = LiveFeed(endpoints, Settings(), interval_s=INTERVAL_S)
    began, at_start = time.monotonic(), time.process_time()
    warm = cpu = counted = 0.0
    frame = None
    async for frame in feed.frames():
        now = time.monotonic()
        ready = len(frame.endpoints) == REPLICAS and any(p.state == "ok" for p in frame.parts)
        if ready and not counted:
            warm, cpu, counted = now - began, time.process_time(), now
        if (counted and now - counted > MEASURED_S) or now - began > MEASURED_S + 120:
            break
    seconds = time.monotonic() - counted
    share = (time.process_time() - cpu) / seconds
    assert frame is not None
    fresh = sum(1 for e in frame.endpoints if (e.age_s or 1e9) < 2.5 * INTERVAL_S)
    bytes_read = sum(fleet._server.bytes for fleet in feed._connection.fleets) if feed._connection else 0  # noqa: SLF001
    await feed.close()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        f"{REPLICAS} replicas behind Prometheus every {INTERVAL_S:g} s, {fresh} fresh; measured for {seconds:.0f} s",
        f"  start            {warm:6.1f} s until all are shown, {cpu - at_start:.1f} s of CPU, the past included",
        f"  CPU              {share:6.1%} of one core ({share * 60:.1f} s a minute)",
        f"  answer           {bytes_read / 2**20:6.1f} MiB a poll",
        f"  resident, peak   {resident:6.0f} MiB",
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(int(sys.argv[1]))
    else:
        print("\n".join(run()))
