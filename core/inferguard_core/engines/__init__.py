"""From an engine's page to our vocabulary: metric names, their versions and their labels end here."""

from __future__ import annotations

from inferguard_core.engines.capability import Capability, Visibility, capabilities, remedy
from inferguard_core.engines.reader import EngineReader

__all__ = ["Capability", "EngineReader", "Visibility", "capabilities", "remedy"]
