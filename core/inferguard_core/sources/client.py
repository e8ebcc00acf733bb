"""The one HTTP client of a process, read-only, and a plain one for what is no engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from inferguard_core.sources.access import Access, tls_context
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.connections import Connections
from inferguard_core.sources.guard import ReadOnlyTransport

if TYPE_CHECKING:
    import ssl


def open_client(access: Access) -> httpx.AsyncClient | BadInput:
    """A read-only client for any number of endpoints; the caller closes it.

    It follows no redirect, reads no proxy or other setting from the environment, and leaves deadlines and
    body limits to `fetch`.
    """
    context = tls_context(access) if access.ca or access.insecure else None
    if isinstance(context, BadInput):
        return context
    return httpx.AsyncClient(
        transport=ReadOnlyTransport(Connections(context)),
        timeout=None,  # noqa: S113  # `fetch` holds one deadline over the whole attempt
        trust_env=False,
        follow_redirects=False,
    )


def open_plain_client(context: ssl.SSLContext) -> httpx.AsyncClient:
    """A client for what is no engine: a receiver of alerts, a target list. The caller closes it.

    It follows no redirect and reads no proxy from the environment; who uses it holds a deadline.
    """
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(verify=context, trust_env=False, retries=0),
        timeout=None,  # noqa: S113 - a deadline over the whole attempt is the user's
        trust_env=False,
        follow_redirects=False,
        headers={"user-agent": "inferguard"},
    )
