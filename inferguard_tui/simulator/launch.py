"""Simulated engines as a child process for as long as a `with` block lasts, and not a moment longer."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 3.0
SECRET_VARIABLE = "INFERGUARD_ACTUATION_SECRET"  # noqa: S105 - its name


class Launched(tuple[str, ...]):  # noqa: SLOT001 - a tuple cannot have slots that hold something
    """URLs of the engines, in order."""

    control = ""
    """Where they take actuation webhooks."""


class LaunchError(RuntimeError):
    """The child did not come up; the message is one line for a person."""


@contextmanager
def launched(  # noqa: PLR0913 - what can be said about a simulation
    scenario: str = "incident",
    engine: str = "vllm",
    endpoints: int = 1,
    seed: int = 0,
    *,
    speed: float = 1.0,
    generation: str = "V1",
    secret: str | None = None,
) -> Iterator[Launched]:
    """URLs of `endpoints` engines, served by a child that ends with the block, or with this process.

    `scenario` may be a comma list that is dealt out in turn. Webhooks must be signed with `secret`; without one
    any are taken. Raises `LaunchError` when they are not
    up within the deadline.
    """
    command = [sys.executable, "-m", "inferguard_tui.simulator", "--scenario", scenario, "--engine", engine]
    command += ["--generation", generation, "--endpoints", str(endpoints)]
    command += ["--seed", str(seed), "--speed", str(speed)]
    inherited = {name: value for name, value in os.environ.items() if name != SECRET_VARIABLE}
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, arguments as a list
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=inherited | ({SECRET_VARIABLE: secret} if secret is not None else {}),
    )
    try:
        yield _urls(child, endpoints)
    finally:
        _stop(child)


def _urls(child: subprocess.Popen[bytes], endpoints: int) -> Launched:
    assert child.stdout is not None
    deadline = time.monotonic() + START_DEADLINE_S
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while data.count(b"\n") < endpoints:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise LaunchError(f"the simulator was not up within {START_DEADLINE_S:g} s")
            got = os.read(child.stdout.fileno(), 65536)
            if not got:
                raise LaunchError(f"the simulator did not start: {_last_words(child.stderr)}")
            data += got
    lines = [json.loads(line) for line in data.decode().splitlines()]
    urls = Launched(line["endpoint"] for line in lines)
    urls.control = lines[0]["control"]
    return urls


def _last_words(stderr: IO[bytes] | None) -> str:
    lines = stderr.read().decode(errors="replace").strip().splitlines() if stderr is not None else []
    return lines[-1] if lines else "it said nothing"


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Close its stdin, which asks it to end; insist by its pid when it does not."""
    assert child.stdin is not None
    child.stdin.close()
    for insist in (child.terminate, child.kill):
        try:
            child.wait(STOP_DEADLINE_S)
            break
        except subprocess.TimeoutExpired:
            insist()
    child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
