"""Sources for the endpoints that a person named, and the one HTTP client under them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.poll import ProofLevel
from inferguard_core.sources.access import Access
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from inferguard_core.sources.address import Address
    from inferguard_core.sources.direct import DirectSource
    from inferguard_core.sources.prometheus.fleet import PrometheusFleet

TUI_INTERVAL_S = 2.0


@dataclass(slots=True)
class Connection:
    """Live endpoints and the one HTTP client they share."""

    client: httpx.AsyncClient
    sources: tuple[tuple[str, DirectSource], ...]
    """(host:port, source) in the order given."""
    fleets: tuple[PrometheusFleet, ...] = ()
    """Metrics servers, whose engines are known when they have answered."""

    how: Access = field(default_factory=Access)

    def source_of(self, address: Address) -> DirectSource:
        """A source for an engine that becomes known later."""
        from inferguard_core.sources.direct import DirectSource

        return DirectSource(address, self.how, client=self.client)

    async def close(self) -> None:
        for _, source in self.sources:
            await source.close()
        await self.client.aclose()


def connect(
    endpoints: Sequence[Address],
    how: Access,
    proof: ProofLevel = ProofLevel.LIVE,
    interval_s: float = TUI_INTERVAL_S,
) -> Connection | BadInput:
    """A source for each endpoint, a fleet for each metrics server, which is asked every `interval_s`.

    Nothing is sent yet; needs a running event loop.
    """
    # The HTTP stack is half of a headless command's start-up; replay and --help do without it.
    from inferguard_core.sources.client import open_client
    from inferguard_core.sources.direct import DirectSource

    client = open_client(how)
    if isinstance(client, BadInput):
        return client
    engines = [a for a in endpoints if a.selector is None]
    servers = [a for a in endpoints if a.selector is not None]
    named = _names(engines)
    return Connection(
        client,
        tuple((named[a.url], DirectSource(a, how, client=client, proof=proof)) for a in engines),
        tuple(_fleet(a, how, client, interval_s, proof) for a in servers),
        how,
    )


def _fleet(
    server: Address, how: Access, client: httpx.AsyncClient, interval_s: float, proof: ProofLevel
) -> PrometheusFleet:
    # Where no metrics server is asked, its reader is half a MiB for nothing.
    from inferguard_core.sources.prometheus.fleet import PrometheusFleet
    from inferguard_core.sources.prometheus.server import PrometheusServer

    return PrometheusFleet(
        PrometheusServer(server, how, client), f"prometheus+{server.base}", interval_s, proof
    )


def _names(endpoints: Sequence[Address]) -> dict[str, str]:
    """Name by URL; the URL itself where two endpoints share host and port."""
    names = [a.name for a in endpoints]
    return {a.url: a.name if names.count(a.name) == 1 else a.url.partition("://")[2] for a in endpoints}
