"""Diagnosis: from what an endpoint shows to the cause that best explains it, without a network or a clock."""

from inferguard_core.diagnose.diagnosis import diagnose
from inferguard_core.diagnose.memory import EpisodeMemory, remember
from inferguard_core.diagnose.signatures import SIGNATURES, UNCLEAR

__all__ = ["SIGNATURES", "UNCLEAR", "EpisodeMemory", "diagnose", "remember"]
