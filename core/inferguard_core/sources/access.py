"""How endpoints may be reached: trust, credentials and limits. Holds secrets and never shows them."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from inferguard_core.secret import SecretStr

BEARER_SETTING = "INFERGUARD_BEARER_TOKEN"
TENANT_SETTING = "INFERGUARD_TENANT"
CA_SETTING = "INFERGUARD_CA_FILE"
BASIC_SETTINGS = "INFERGUARD_BASIC_USER and INFERGUARD_BASIC_PASSWORD"

DEADLINE_S = 5.0
"""Healthy engines under a flood of requests were seen to need over 2 s for a page."""

MAX_BODY_BYTES = 16 * 2**20
"""A page of one engine is 10 to 200 KB; a gateway that joins dozens of replicas stays under this."""


@dataclass(frozen=True, slots=True)
class Login:
    """User and password of HTTP basic authentication."""

    user: str = field(repr=False)
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Access:
    """One process has one of these for all its endpoints; a login in an endpoint's URL goes before it."""

    ca: Path | None = None
    """PEM file of the authorities to trust in place of the system's."""
    insecure: bool = False
    """Accept any certificate."""
    bearer: SecretStr | None = None
    basic: Login | None = None
    tenant: str = ""
    """Whose series a metrics server is asked for, where it keeps those of several."""
    timeout_s: float = DEADLINE_S
    """Seconds for a whole attempt: name, connect, TLS, headers and the last byte of the body."""
    max_body_bytes: int = MAX_BODY_BYTES
    """Of the decoded body."""


def authorization(access: Access, login: Login | None = None) -> str | None:
    """Value of the Authorization header; `login`, from an endpoint's URL, is preferred."""
    chosen = login or (None if access.bearer else access.basic)
    if chosen:
        pair = f"{chosen.user}:{chosen.password.get_secret_value()}"
        return "Basic " + base64.b64encode(pair.encode()).decode()
    return f"Bearer {access.bearer.get_secret_value()}" if access.bearer else None


def tls_context(access: Access) -> ssl.SSLContext | BadInput:
    """The verification that `access` asks for, or why its CA file cannot be used."""
    if access.ca and access.insecure:
        return BadInput(f"--ca {access.ca} and --insecure exclude each other: give one of them")
    if access.insecure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=access.ca)
    except ssl.SSLError:
        return BadInput(f"--ca {access.ca}: holds no certificate; a PEM file with CA certificates is needed")
    except OSError as error:
        return BadInput(f"--ca {access.ca}: {printable(error.strerror or str(error))}")
