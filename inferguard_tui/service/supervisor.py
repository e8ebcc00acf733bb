"""A word to the service manager, by its datagram protocol (sd_notify(3)): ready, alive, stopping.

Without NOTIFY_SOCKET nobody asked and nothing is sent. What cannot be sent is not worth a failure.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


def tell(*words: str) -> None:
    """Send assignments such as `READY=1` to the service manager."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.sendto("\n".join(words).encode(), address)


async def stay_alive() -> None:
    """Tell a watchdog, if there is one, twice within its time that the event loop runs; until cancelled."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or not int(microseconds):
        return
    while True:
        tell(ALIVE)
        await asyncio.sleep(int(microseconds) / 2e6)
