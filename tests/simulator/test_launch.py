"""The simulator as a child process: it comes up, it listens on the loopback only, and it never stays behind."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from inferguard_tui.simulator.launch import LaunchError, launched


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return response.read().decode()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_engines_serve_inside_the_block_and_are_gone_after_it() -> None:
    with launched("incident,healthy", "vllm", 3, seed=4) as urls:
        assert len(set(urls)) == 3
        assert all(url.startswith("http://127.0.0.1:") for url in urls)
        assert all("vllm:kv_cache_usage_perc" in get(f"{url}/metrics") for url in urls)
    with pytest.raises(urllib.error.URLError):
        get(f"{urls[0]}/metrics")


def test_sglang_and_v0_can_be_launched() -> None:
    with launched("quiet", "sglang") as (url,):
        assert "sglang:token_usage" in get(f"{url}/metrics")
    with launched("quiet", "vllm", generation="V0") as (url,):
        assert "vllm:gpu_cache_usage_perc" in get(f"{url}/metrics")


def test_a_child_that_cannot_start_is_reported_in_one_line() -> None:
    with (
        pytest.raises(LaunchError, match="unknown scenario 'nonsense'; known: healthy"),
        launched("nonsense"),
    ):
        pass


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="reads process states from /proc")
def test_the_child_ends_when_its_parent_is_killed() -> None:
    script = (
        "import time\n"
        "from inferguard_tui.simulator.launch import launched\n"
        "with launched('quiet') as urls:\n"
        "    print(urls[0], flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    url = parent.stdout.readline().decode().strip()
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text("utf-8")
    (child,) = map(int, children.split())
    assert "vllm:" in get(f"{url}/metrics")
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until_gone(child)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "nonsense"], "unknown scenario 'nonsense'"),
        (["--engine", "triton"], "invalid choice: 'triton'"),
        (["--endpoints", "0"], "0 is not between 1 and 1000"),
        (["--port", "70000"], "70000 is not between 0 and 65535"),
        (["--port", "65535", "--endpoints", "2"], "passes 65535"),
        (["--speed", "0"], "0 is not between 0.1 and 100"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inferguard_tui.simulator", *arguments],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_one_line_and_exit_3() -> None:
    with launched("quiet") as (url,):
        port = url.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "inferguard_tui.simulator", "--scenario", "quiet", "--port", port],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
        )
    assert done.returncode == 3
    assert done.stderr.startswith(f"simulator: port {port}: ")
    assert done.stderr.count("\n") == 1
