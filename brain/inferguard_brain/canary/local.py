"""A canary in a process of its own on this host: no environment of ours, limits on what it may take, and an end.

It runs with a bare environment (so without any credential), in an empty directory that goes with it, without a GPU in
sight, under limits of CPU time, memory and file size, and its whole process group ends with it. It is no jail: it
runs as this user, and only scripts of this package are ever given to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inferguard_brain.canary.verdict import Ran

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_brain.canary.verdict import Script

OUTPUT_BYTES: Final = 2**16
CPU_S: Final = 120
FILE_BYTES: Final = 64 * 2**20
MEMORY_BYTES: Final = 64 * 2**30
"""Of address space: importing an engine maps tens of GiB that it never touches."""
_LIMITED: Final = f"""\
import resource, runpy, sys
for what, most in ((resource.RLIMIT_CPU, {CPU_S}), (resource.RLIMIT_FSIZE, {FILE_BYTES}),
                   (resource.RLIMIT_AS, {MEMORY_BYTES}), (resource.RLIMIT_NOFILE, 512), (resource.RLIMIT_CORE, 0)):
    _, hard = resource.getrlimit(what)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (least, least))
sites, sys.argv = sys.argv[1], sys.argv[2:]
sys.path[:0] = [site for site in sites.split({os.pathsep!r}) if site]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class LocalRunner:
    """Runs scripts with `python`, which should be the one that the engine is installed for."""

    def __init__(self, python: str = sys.executable, sites: Sequence[Path] = ()) -> None:
        """`sites` are directories that are also looked through for packages."""
        self._python = python
        self._sites = os.pathsep.join(str(site.resolve()) for site in sites)

    @property
    def name(self) -> str:
        return f"local process ({self._python})"

    async def run(self, script: Script) -> Ran:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="inferguard-canary-") as home:
            file = Path(home, f"{script.name}.py")
            await asyncio.to_thread(file.write_text, script.source, "utf-8")
            arguments = (self._sites, str(file), json.dumps(script.argument))
            try:
                process = await asyncio.create_subprocess_exec(
                    *(self._python, "-I", "-c", _LIMITED, *arguments),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    env=_environment(home),
                    cwd=home,
                    start_new_session=True,
                )
            except OSError as error:
                return Ran(None, "", 0.0, f"{self._python}: {error.strerror or error}")
            try:
                output, trouble = await _awaited(process, script.timeout_s)
            finally:
                await _ended(process)
            code = None if trouble else process.returncode
            return Ran(code, output, time.monotonic() - began, trouble)


async def _awaited(process: asyncio.subprocess.Process, timeout_s: float) -> tuple[str, str]:
    """What the process prints until it ends, and why it did not."""
    assert process.stdout is not None
    kept = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            while chunk := await process.stdout.read(4096):
                kept = (kept + chunk)[-OUTPUT_BYTES:]
            await process.wait()
    except TimeoutError:
        return kept.decode("utf-8", "replace"), f"no end within {timeout_s:g} s"
    return kept.decode("utf-8", "replace"), ""


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End what is left of the process group, whatever it ignores."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _environment(home: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }
