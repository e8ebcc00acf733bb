"""From an engine's page to our vocabulary: metric names, their versions and their labels end here."""

from __future__ import annotations

from inferguard_core.engines.reader import EngineReader

__all__ = ["EngineReader"]
