"""Every variable a person can set: where it is read, what is allowed, and where its value came from.

Importing this package imports pydantic-settings, most of the CPU of a headless command's start, so it is
imported by whatever starts a session and by nothing else in the core: components take plain values.
"""

from __future__ import annotations

from inferguard_core.settings.loading import load
from inferguard_core.settings.model import Settings
from inferguard_core.settings.problem import SettingsProblem

__all__ = ["Settings", "SettingsProblem", "load"]
