"""What every front end stands on: settings and arguments in, something to iterate or poll out.

No terminal code here, so that scan, watch, replay, MCP and the screen take the same path. Whatever a person got
wrong comes back as BadInput, a line to print; nothing here exits or prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import Frame, PartHealth
from inferguard_core.journal import open_journal
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.access import Access, Login
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.threads import use_unwaited_threads
from inferguard_tui.connection import TUI_INTERVAL_S, Connection, connect
from inferguard_tui.desk import SessionDesk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from inferguard_core.memory.scribe import Scribe
    from inferguard_core.monitor import Listener, Monitor
    from inferguard_core.settings import Settings
    from inferguard_core.sources.discovery import Discovery
    from inferguard_core.sources.recording import Recording
    from inferguard_core.sources.targets.fleet import ListText, TargetFleet
    from inferguard_tui.acting import Acting, Unattended
    from inferguard_tui.brain_client import Brain
    from inferguard_tui.feed import ReplayControls
    from inferguard_tui.handoff.exports import Exports

WATCH_INTERVAL_S = 30.0


def addresses(texts: Sequence[str]) -> tuple[Address, ...] | BadInput:
    """The endpoints that `texts` name, each once, in order."""
    found: dict[str, Address] = {}
    for text in texts:
        address = parse_address(text)
        if isinstance(address, BadInput):
            return address
        found.setdefault(address.url, address)
    return tuple(found.values())


def access(settings: Settings) -> Access:
    """How the settings say endpoints are to be reached."""
    chosen = settings.access
    login = None
    if chosen.basic_user is not None and chosen.basic_password is not None:
        login = Login(chosen.basic_user, chosen.basic_password)
    return Access(
        ca=chosen.ca_file,
        insecure=chosen.insecure,
        bearer=chosen.bearer_token,
        basic=login,
        tenant=chosen.tenant,
        timeout_s=chosen.deadline_seconds,
        max_body_bytes=int(chosen.body_cap_mib * 2**20),
    )


async def look_around(how: Access) -> Discovery | BadInput:
    """Engines on this host."""
    from inferguard_core.sources.client import open_client
    from inferguard_core.sources.discovery import discover

    client = open_client(how)
    if isinstance(client, BadInput):
        return client
    async with client:
        return await discover(client, how)


class LiveFeed:
    """Live endpoints as a FrameFeed. The HTTP stack is loaded when frames are first asked for."""

    def __init__(  # noqa: PLR0913 - what makes a session
        self,
        endpoints: Sequence[Address],
        settings: Settings,
        *,
        interval_s: float | None = None,
        proof: ProofLevel = ProofLevel.LIVE,
        listener: Listener | None = None,
        unattended: Unattended | None = None,
        lists: Sequence[ListText] = (),
    ) -> None:
        """`interval_s` is the front end's own default; a setting goes before it. `lists` bring more endpoints."""
        self._endpoints = endpoints
        self._settings = settings
        self._interval_s = settings.polling.interval_seconds or interval_s or TUI_INTERVAL_S
        self._proof = proof
        self._listener = listener
        self._unattended = unattended
        self._lists = lists
        self.lists: tuple[TargetFleet, ...] = ()
        """The target lists that are followed; made with the monitor."""
        self._connection: Connection | None = None
        self._monitor: Monitor | None = None
        self._started = False
        self.acting: Acting | None = None
        """What carries out advisories; made with the monitor."""
        self.scribe: Scribe | None = None
        """What remembers; made with the monitor, None where memory is off."""
        self.brain: Brain | None = None
        """What looks ahead; made with the monitor."""
        self.exports: Exports | None = None
        """What hands incidents over; only where somebody looks at frames."""

    @property
    def interval_s(self) -> float:
        return self._interval_s

    @property
    def replay(self) -> ReplayControls | None:
        return None

    @property
    def desk(self) -> SessionDesk | None:
        if self._monitor is None:
            return None
        return SessionDesk(
            self._monitor, acting=self.acting, scribe=self.scribe, brain=self.brain, exports=self.exports
        )

    def monitor(self) -> Monitor | BadInput:
        """The monitor behind the frames, made at the first call."""
        from inferguard_core.monitor import Listener, Monitor
        from inferguard_core.sources.targets.fleet import TargetFleet
        from inferguard_tui.acting import Acting, Unattended

        if self._monitor is None:
            connection = connect(self._endpoints, access(self._settings), self._proof, self._interval_s)
            if isinstance(connection, BadInput):
                return connection
            self._connection = connection
            self.lists = tuple(TargetFleet(text, connection.source_of) for text in self._lists)
            listener = self._investigating(self._remembering(self._listener or Listener()))
            listener = listener if self.exports is None else self.exports.beside(listener)
            state_dir = self._settings.memory.state_dir
            if self._proof is ProofLevel.SIMULATED:
                # What was done to a simulation uses up nobody's cooldown.
                state_dir /= "simulated"
            unattended = self._unattended or Unattended()
            acting = Acting(self._settings, self._made, listener, unattended, state_dir)
            self.acting = acting
            self._monitor = Monitor(
                connection.sources,
                self._interval_s,
                self._settings.limits,
                acting.listener,
                self._parts(),
                (*connection.fleets, *self.lists),
            )
            if self.scribe is not None:
                self._monitor.health.append(lambda: self.scribe.memory.health if self.scribe else ())
            self._monitor.health.append(lambda: self.brain.health if self.brain else ())
        return self._monitor

    async def start(self) -> Monitor | BadInput:
        """The monitor, polling, with its past; a second call does nothing more."""
        monitor = self.monitor()
        if not isinstance(monitor, BadInput) and not self._started:
            self._started = True
            use_unwaited_threads()
            if self.scribe is not None:
                await self.scribe.start(monitor.watches)
            if self.acting is not None:
                await self.acting.start()
            if self.brain is not None:
                self.brain.start()
            monitor.start()
        return monitor

    def _investigating(self, listener: Listener) -> Listener:
        from inferguard_tui.brain_setup import open_brain

        self.brain = open_brain(self._settings.brain, lambda e: self._made().touch(e), listener.on_event)
        return self.brain.beside(listener)

    def _remembering(self, listener: Listener) -> Listener:
        from inferguard_core.memory.choice import open_memory
        from inferguard_core.memory.scribe import Scribe
        from inferguard_core.memory.slices import Slices

        memory = open_memory(
            self._settings.memory,
            self._settings.limits.reopen_within,
            simulated=self._proof is ProofLevel.SIMULATED,
        )
        if memory is None:
            return listener
        slices = None
        if self._settings.memory.mode == "on":
            kept = (lambda _endpoint: None) if self.exports is None else self.exports.recent
            slices = Slices(self._settings.memory.state_dir / "incidents", kept)
        self.scribe = Scribe(memory, lambda endpoint: self._made().touch(endpoint), slices=slices)
        return self.scribe.beside(listener)

    def _made(self) -> Monitor:
        assert self._monitor is not None
        return self._monitor

    async def frames(self) -> AsyncIterator[Frame]:
        """Frames until closed. ValueError when the endpoints cannot be connected to as asked."""
        from inferguard_tui.handoff.exports import Exports

        self.exports = Exports(self._settings.memory.state_dir, self._interval_s)
        monitor = await self.start()
        if isinstance(monitor, BadInput):
            raise ValueError(monitor.message)  # noqa: TRY004 - a setting is at fault, not a type
        async for frame in monitor.frames():
            yield frame

    async def close(self) -> None:
        if self.acting is not None:
            await self.acting.close()
        if self.brain is not None:
            await self.brain.close()
        if self._monitor is not None:
            await self._monitor.close()
            if self.scribe is not None and self._started:
                await self.scribe.close(self._monitor.watches)
        if self._connection is not None:
            await self._connection.close()

    def _parts(self) -> tuple[PartHealth, ...]:
        trouble = open_journal(self._settings.memory.state_dir)
        log = (PartHealth("log", "off", trouble),) if trouble else ()
        mode = self._settings.actuation.mode
        return log if mode == "off" else (PartHealth("act", mode.replace("_", "-")), *log)


def open_recording(path: Path) -> Recording | BadInput:
    """A recording with at least one poll."""
    from inferguard_core.sources.recording import RecordingFile

    opened = RecordingFile.open(path)
    if isinstance(opened, BadInput):
        return opened
    recording = opened.load()
    if not recording.polls:
        return BadInput(f"{path}: holds no poll")
    return recording
