"""Every variable a person can set: what it may be, where it is read, and where its value came from.

`loading.load` imports pydantic-settings, which costs more than the rest of the core: it is called by whatever starts
a session and by nothing else in the core. Components take plain values.
"""

from __future__ import annotations

from inferguard_core.settings.model import Settings
from inferguard_core.settings.problem import SettingsProblem

__all__ = ["Settings", "SettingsProblem"]
