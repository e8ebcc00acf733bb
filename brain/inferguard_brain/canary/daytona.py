"""A canary in a Daytona workspace: made for it, without our network, and removed after it, also when it failed."""

from __future__ import annotations

import asyncio
import base64
import json
import shlex
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.canary.verdict import Ran

if TYPE_CHECKING:
    from inferguard_brain.canary.verdict import Script

CREATE_S: Final = 90.0
REMOVE_S: Final = 30.0
AUTO_STOP_MIN: Final = 5
"""Should we die in between, the workspace ends by itself."""
OUTPUT_CHARS: Final = 2**16


@dataclass(frozen=True, slots=True)
class DaytonaRunner:
    """Needs the `daytona` extra and a key."""

    key: str = field(repr=False)
    api_url: str | None = None
    snapshot: str | None = None
    """One that has the engine installed; the default has none."""
    grace_s: float = 10.0
    """Beyond the script's own time-out, which the workspace keeps."""

    @property
    def name(self) -> str:
        return f"Daytona workspace ({self.snapshot or 'default snapshot'})"

    async def run(self, script: Script) -> Ran:
        began = time.monotonic()
        try:
            # A second of imports; polls may be going on in this loop.
            sdk = await asyncio.to_thread(_sdk)
        except ImportError:
            return Ran(None, "", 0.0, "the daytona package is missing: pip install 'inferguard-tui[daytona]'")
        try:
            async with sdk.AsyncDaytona(sdk.DaytonaConfig(api_key=self.key, api_url=self.api_url)) as client:
                code, output, trouble = await self._in_workspace(sdk, client, script)
        except Exception as error:  # noqa: BLE001 - the SDK has forty errors; each is a reason
            code, output, trouble = None, "", self._reason(error)
        return Ran(code, output[-OUTPUT_CHARS:], time.monotonic() - began, trouble)

    async def _in_workspace(self, sdk: Any, client: Any, script: Script) -> tuple[int | None, str, str]:
        wanted = sdk.CreateSandboxFromSnapshotParams(
            language="python",
            ephemeral=True,
            auto_stop_interval=AUTO_STOP_MIN,
            network_block_all=True,
            snapshot=self.snapshot,
        )
        workspace = await client.create(wanted, timeout=CREATE_S)
        found: tuple[int | None, str, str]
        try:
            async with asyncio.timeout(script.timeout_s + self.grace_s):
                done = await workspace.process.exec(_command(script), timeout=int(script.timeout_s))
        except TimeoutError:
            found = (None, "", f"no end within {script.timeout_s:g} s")
        except Exception as error:  # noqa: BLE001
            found = (None, "", self._reason(error))
        else:
            found = (int(done.exit_code), str(done.result), "")
        return await self._removed(client, workspace, found)

    async def _removed(
        self, client: Any, workspace: Any, found: tuple[int | None, str, str]
    ) -> tuple[int | None, str, str]:
        """The outcome; a workspace that could not be removed is told of, for somebody pays for it."""
        try:
            async with asyncio.timeout(REMOVE_S):
                await client.delete(workspace)
        except Exception as error:  # noqa: BLE001
            code, output, trouble = found
            left = f"workspace {workspace.id} was not removed: {self._reason(error)}"
            return code, output, f"{trouble}; {left}" if trouble else left
        return found

    def _reason(self, error: Exception) -> str:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".replace(self.key, "…")


def _sdk() -> Any:
    import daytona

    return daytona


def _command(script: Script) -> str:
    source = base64.b64encode(script.source.encode()).decode()
    start = f"import base64; exec(base64.b64decode('{source}'))"
    return f"python3 -c {shlex.quote(start)} {shlex.quote(json.dumps(script.argument))}"
