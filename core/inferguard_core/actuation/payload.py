"""The webhook's body and headers: what is said, in bytes that are signed as they are sent.

Text from engines (model names, labels) is made printable and travels in the JSON body only; no header holds
anything but our own hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from math import isfinite
from typing import TYPE_CHECKING

from inferguard_core.events import evidence_json
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.actuation.subject import Subject
    from inferguard_core.secret import SecretStr

SCHEMA = "inferguard.actuation/1"
TEXT_MAX = 500


def idempotency_key(endpoint: str, action_id: str) -> str:
    """The same for the same advisory, whichever process sends it: a receiver sees a duplicate as one."""
    return hashlib.sha256(f"{SCHEMA}\n{endpoint}\n{action_id}".encode("utf-8", "surrogatepass")).hexdigest()[
        :32
    ]


def payload(subject: Subject, unix: float, who: str, *, dry_run: bool) -> dict[str, object]:
    """`inferguard.actuation/1`, the fields of older receivers beside the present ones."""
    advisory = subject.advisory
    body: dict[str, object] = {
        "schema": SCHEMA,
        "action_id": advisory.id,
        "inferguard_action_id": advisory.id,
        "idempotency_key": idempotency_key(advisory.endpoint, advisory.id),
        "action_type": advisory.action_type.value,
        "incident_id": advisory.incident_id,
        "endpoint": advisory.endpoint,
        "engine": subject.engine,
        "model": subject.model,
        "parameters": dict(advisory.parameters),
        "reason": advisory.reason,
        "evidence": [evidence_json(e) for e in advisory.evidence],
        "requested_at": round(unix, 3),
        "requested_by": who,
        "dry_run": dry_run,
    }
    return {name: _clean(value) for name, value in body.items()}


def encoded(body: Mapping[str, object]) -> bytes:
    """The bytes that are signed and sent: ASCII, sorted, one line."""
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode()


def headers(body: bytes, key: str, secret: SecretStr | None, unix: float) -> dict[str, str]:
    """Headers of the one attempt; the signature is there where a secret is set."""
    told = {"Content-Type": "application/json", "Idempotency-Key": key, "Accept-Encoding": "identity"}
    if secret is not None:
        told["X-InferGuard-Signature"] = signature(body, secret, int(unix))
    return told


def signature(body: bytes, secret: SecretStr, unix: int) -> str:
    """`t=<unix>,v1=<hex>`: HMAC-SHA256 over the time, a dot and the body, so that an old one cannot be sent again."""
    digest = hmac.new(secret.get_secret_value().encode(), f"{unix}.".encode() + body, hashlib.sha256)
    return f"t={unix},v1={digest.hexdigest()}"


def _clean(value: object) -> object:
    if isinstance(value, str):
        return printable(value, TEXT_MAX)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {printable(str(k)): _clean(v) for k, v in value.items()}
    return [_clean(v) for v in value] if isinstance(value, list) else value
