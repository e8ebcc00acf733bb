"""Fixes: what to change in the engine's configuration, in flags that this engine and version have."""

from inferguard_core.remediation.fix import fix
from inferguard_core.remediation.flag import Flag, FlagTable
from inferguard_core.remediation.steady import steady
from inferguard_core.remediation.tables import TABLES, exposed_names

__all__ = ["TABLES", "Flag", "FlagTable", "exposed_names", "fix", "steady"]
