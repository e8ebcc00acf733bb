"""Exit codes: the monitoring-plugin convention, so that any scheduler understands a run."""

from __future__ import annotations

from inferguard_core.frame import Severity

OK = 0
WARNING = 1
CRITICAL = 2
UNKNOWN = 3
"""Unreachable, no metrics, or input that cannot be used, wrong usage among it."""
INTERRUPTED = 130


def of_severity(severity: Severity) -> int:
    """A notice is no reason to wake anybody."""
    return {Severity.CRITICAL: CRITICAL, Severity.WARNING: WARNING}.get(severity, OK)
