"""Why no page comes from an endpoint, in the few words that a table has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.poll import FailureKind

if TYPE_CHECKING:
    from inferguard_core.poll import Failure

_WORDS = {
    FailureKind.REFUSED: "refused",
    FailureKind.UNRESOLVED: "no such host",
    FailureKind.UNREACHABLE: "unreachable",
    FailureKind.TIMED_OUT: "timed out",
    FailureKind.DISCONNECTED: "hung up",
    FailureKind.TLS: "TLS failed",
    FailureKind.REDIRECTED: "redirects",
    FailureKind.UNAUTHORIZED: "not authorized",
    FailureKind.HTTP_ERROR: "HTTP error",
    FailureKind.NOT_METRICS: "no metrics page",
    FailureKind.TOO_LARGE: "page too large",
    FailureKind.STALE: "no recent sample",
    FailureKind.INTERNAL: "fault of ours",
    FailureKind.ENDED: "recording ended",
}


def reason(failure: Failure | None) -> str:
    """`refused`, `HTTP 404`; empty where no poll has failed yet."""
    if failure is None:
        return ""
    return f"HTTP {failure.status}" if failure.status is not None else _WORDS[failure.kind]
