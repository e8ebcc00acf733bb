"""Which engines run on this host: every listening TCP port is asked once for its metrics, over plain HTTP.

Only this host's own listeners are asked, without credentials (they would go to whatever listens), and ports
on which a stray HTTP request is known to do harm or to fill a log are left alone. Everything that was looked
at is reported, found or not.
"""

from __future__ import annotations

import asyncio
import ipaddress
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.poll import Failure
from inferguard_core.reading import Engine
from inferguard_core.sources.address import Address
from inferguard_core.sources.facts import engine_of
from inferguard_core.sources.fetch import build_request, complaint, fetch

if TYPE_CHECKING:
    import httpx

    from inferguard_core.sources.access import Access

PROBE_DEADLINE_S = 3.0
"""Engines in trouble answer late, and those are the ones looked for."""
AT_ONCE = 32
MAX_PORTS = 256
USUAL_PORTS = (*range(8000, 8016), *range(30000, 30016))
"""vLLM's and SGLang's defaults and the next few, as they are counted up for several replicas."""

_PRIVILEGED = 1024
_HTTP = 80
_LEFT_ALONE = {
    2379: "etcd",
    2380: "etcd",
    3306: "MySQL",
    5432: "PostgreSQL",
    5672: "AMQP",
    6379: "Redis",
    9092: "Kafka",
    11211: "memcached",
    27017: "MongoDB",
    29500: "torch.distributed rendezvous",
}
_LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp (linux/net/tcp_states.h)."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port of this host and the addresses at which it can be asked, preferred first."""

    port: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    address: Address
    engine: Engine


@dataclass(frozen=True, slots=True)
class Looked:
    """A port and what came of it, in words."""

    port: int
    outcome: str
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Discovery:
    found: tuple[Found, ...]
    looked: tuple[Looked, ...]
    """Every port considered, in the order of asking."""
    basis: str
    """Where the list of ports came from."""


async def discover(client: httpx.AsyncClient, access: Access, *, net: Path = Path("/proc/net")) -> Discovery:
    """Ask this host's listeners, some at a time. Without /proc (not Linux) the usual ports are asked."""
    listeners = listening_ports(net)
    basis = "listening ports of this host"
    if listeners is None:
        listeners = [Listener(port, ("127.0.0.1",)) for port in USUAL_PORTS]
        basis = "the usual ports, since this system does not list its listening ones in /proc/net"
    listeners.sort(key=lambda each: (each.port not in USUAL_PORTS, each.port))
    asked = [each for each in listeners if not _reason_to_leave(each.port)]
    left = [
        Looked(each.port, _reason_to_leave(each.port), asked=False) for each in listeners if each not in asked
    ]
    left += [
        Looked(each.port, f"not asked: over {MAX_PORTS} ports listen", asked=False)
        for each in asked[MAX_PORTS:]
    ]
    anonymous = replace(access, bearer=None, basic=None, timeout_s=min(access.timeout_s, PROBE_DEADLINE_S))
    gate = asyncio.Semaphore(AT_ONCE)
    answers = await asyncio.gather(*(_probe(client, anonymous, each, gate) for each in asked[:MAX_PORTS]))
    return Discovery(
        found=tuple(found for found, _ in answers if found),
        looked=(*(looked for _, looked in answers), *left),
        basis=basis,
    )


def listening_ports(net: Path) -> list[Listener] | None:
    """This host's listening TCP ports from `net`/tcp and tcp6; None where there are no such files."""
    hosts: dict[int, list[str]] = {}
    present = False
    for table in ("tcp", "tcp6"):
        try:
            lines = (net / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        present = True
        for line in lines:
            local, state = line.split()[1], line.split()[3]
            if state == _LISTEN:
                address, port = local.split(":")
                hosts.setdefault(int(port, 16), []).extend(_hosts(address))
    if not present:
        return None
    return [Listener(port, tuple(sorted(set(at), key=_preference))) for port, at in hosts.items() if at]


def _hosts(digits: str) -> tuple[str, ...]:
    """Where a socket bound to this address of /proc/net can be asked; nowhere if it is link-local."""
    words = (digits[at : at + 8] for at in range(0, len(digits), 8))
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(packed)
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_unspecified:
            # Nearly always a socket for both families; the second is for those of IPv6 only.
            return ("127.0.0.1", "::1")
        address = address.ipv4_mapped or address
    if address.is_unspecified:
        return ("127.0.0.1",)
    return () if address.is_link_local else (str(address),)


def _preference(host: str) -> tuple[bool, bool, str]:
    return (host != "127.0.0.1", host != "::1", host)


def _reason_to_leave(port: int) -> str:
    if port in _LEFT_ALONE:
        return f"left alone: {_LEFT_ALONE[port]}"
    return "left alone: system port" if port < _PRIVILEGED and port != _HTTP else ""


async def _probe(
    client: httpx.AsyncClient, access: Access, listener: Listener, gate: asyncio.Semaphore
) -> tuple[Found | None, Looked]:
    """Ask the addresses of one port until an engine answers."""
    outcome = ""
    async with gate:
        for host in listener.hosts:
            name = f"[{host}]:{listener.port}" if ":" in host else f"{host}:{listener.port}"
            address = Address(f"http://{name}", name)
            page = await fetch(client, build_request(client, address, access, "/metrics"), name, access)
            if isinstance(page, Failure):
                outcome = outcome or page.message
            elif what := complaint(page.text):
                outcome = outcome or f"{name} answered with {what}, not metrics"
            elif (engine := engine_of(page.text)) is not Engine.UNKNOWN:
                return Found(address, engine), Looked(listener.port, f"{name} is {engine}")
            else:
                outcome = outcome or f"{name} has metrics, but neither vLLM's nor SGLang's"
    return None, Looked(listener.port, outcome)
