"""The webhook's address: what is accepted as one, and how it is shown.

It comes from the settings alone. Nothing that an engine or a receiver says can choose or change it.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from inferguard_core.printable import printable


class Target(NamedTuple):
    url: str
    """As it is called."""
    shown: str
    """Without its query, which may hold a key."""


def parse_target(text: str | None, *, allow_http: bool) -> Target | str:
    """The target, or why there is none, without anything of `text` that could be a secret."""
    if text is None:
        return "no webhook is set: INFERGUARD_ACTUATION_ENDPOINT"
    url = text.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "the webhook's URL cannot be read; write https://host[:port]/path"
    if complaint := _complaint(url, parts, host):
        return complaint
    shown = _shown(parts, host, port)
    if parts.scheme == "http" and not allow_http and not _is_loopback(host):
        return f"{shown} is plain http off this host: use https, or set INFERGUARD_ACTUATION_ALLOW_HTTP"
    return Target(url, shown)


def _complaint(url: str, parts: SplitResult, host: str) -> str:
    if parts.scheme not in ("http", "https") or not host:
        return "the webhook's URL must be https://host[:port]/path"
    if parts.username is not None or parts.password is not None:
        return "the webhook's URL holds credentials; it is authenticated by INFERGUARD_ACTUATION_SECRET alone"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "the webhook's URL has a blank, a control or a non-ASCII character; percent-encode it"
    return ""


def _shown(parts: SplitResult, host: str, port: int | None) -> str:
    literal = f"[{host}]" if ":" in host else host
    return printable(f"{parts.scheme}://{literal}{f':{port}' if port else ''}{parts.path}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
