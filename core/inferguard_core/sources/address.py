"""An endpoint as a person writes it, taken apart once. Credentials go into a secret and out of every text."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from inferguard_core.printable import printable
from inferguard_core.secret import SecretStr
from inferguard_core.sources.access import Login
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.prometheus.selector import Selector, parse_selector, written

_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)
_NUMERIC = re.compile(r"(.*\.)?[0-9]+\.?")
_PATH = re.compile(r"(/[\w.~%+-]+)*", re.ASCII)
_ALLOWED = "host:port, http://host:port or https://host:port"
_DEFAULT_PORT = {"http": 80, "https": 443}
_PROMETHEUS = "prometheus+"
_MATCH = ("match=", "match[]=")


@dataclass(frozen=True, slots=True)
class Address:
    """Where one engine is, or a metrics server that scrapes many."""

    url: str
    """Scheme, host, port and the path in front of /metrics: no credentials, no trailing slash. The key."""
    name: str
    """host:port, for people."""
    login: Login | None = None
    selector: Selector | None = None
    """Of a metrics server: which of its series are meant. None for an engine."""

    @property
    def base(self) -> str:
        """What a route is appended to."""
        return self.url.removeprefix(_PROMETHEUS).partition("?")[0]


def parse_address(text: str) -> Address | BadInput:
    """Read `host:port`, `http(s)://…` or an IPv6 form of them; a trailing `/metrics` is understood.

    `prometheus+http(s)://host:port/prefix?match={label="value"}` is a metrics server.
    """
    stripped = text.strip()
    if stripped.lower().startswith(_PROMETHEUS):
        return _prometheus(stripped[len(_PROMETHEUS) :], _without_userinfo(stripped))
    return _engine(stripped, _without_userinfo(stripped))


def _engine(text: str, shown: str) -> Address | BadInput:
    found = _SCHEME.match(text)
    if found and found[1].lower() not in _DEFAULT_PORT:
        return BadInput(f"{shown}: scheme {found[1].lower()}:// is not allowed; write {_ALLOWED}")
    try:
        parts = urlsplit(text if found else f"http://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return BadInput(
            f"{shown}: not an address with a port of 1 to 65535; write {_ALLOWED} ([::1]:8000 for IPv6)"
        )
    if reason := _complaint(parts, host, port, bare=not found):
        return BadInput(f"{shown}: {reason}; write {_ALLOWED}")
    return _address(parts, host, port)


def _prometheus(text: str, shown: str) -> Address | BadInput:
    """A metrics server; `text` is without the `prometheus+`."""
    where, _, query = text.partition("?")
    if not _SCHEME.match(where):
        return BadInput(f"{shown}: no scheme; write prometheus+http://host:9090")
    server = _engine(where, shown)
    if isinstance(server, BadInput):
        return server
    given = next((query.removeprefix(name) for name in _MATCH if query.startswith(name)), query)
    selector = parse_selector(unquote(given))
    if selector is None:
        return BadInput(f'{shown}: no selector after the ?; write ?match={{job="vllm"}}')
    chosen = f"?match={written(selector)}" if selector else ""
    return Address(f"{_PROMETHEUS}{server.url}{chosen}", server.name, server.login, selector)


def _complaint(parts: SplitResult, host: str, port: int | None, *, bare: bool) -> str:
    """Why these parts are no endpoint; empty when they are one."""
    path = parts.path.rstrip("/")
    checks = (
        (not host, "no host"),
        (not _is_host(host), "not a host name or address"),
        (port == 0, "port 0 is not in 1 to 65535"),
        (bare and port is None, "no port (vLLM's own is 8000, SGLang's 30000)"),
        (parts.query or parts.fragment, "a query or fragment has no meaning here"),
        (not _PATH.fullmatch(path), "not a path"),
    )
    return next((reason for wrong, reason in checks if wrong), "")


def _address(parts: SplitResult, host: str, port: int | None) -> Address:
    literal = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/metrics").rstrip("/")
    login = None
    if parts.username is not None:
        login = Login(unquote(parts.username), SecretStr(unquote(parts.password or "")))
    return Address(
        url=f"{parts.scheme}://{literal}{f':{port}' if port else ''}{path}",
        name=f"{literal}:{port or _DEFAULT_PORT[parts.scheme]}",
        login=login,
    )


def _is_host(host: str) -> bool:
    """Whether this is an address or a DNS name; a name that ends in a number is meant as an IPv4 address."""
    try:
        if ":" in host:
            return not ipaddress.IPv6Address(host).scope_id
        if _NUMERIC.fullmatch(host):
            return bool(ipaddress.IPv4Address(host))
    except ValueError:
        return False
    return bool(_HOST.fullmatch(host)) and len(host) <= 253


def _without_userinfo(text: str) -> str:
    """`text` for a message. All before the last @ goes: an unencoded password may hold any character."""
    return (
        printable(re.sub(r"^([a-z][a-z0-9+.-]*://)?.*@", r"\1***@", text, flags=re.IGNORECASE | re.DOTALL))
        or "''"
    )
