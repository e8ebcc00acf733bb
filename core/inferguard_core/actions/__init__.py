"""The six actions: when each is advised, with which measured parameters, and how sure that is."""

from inferguard_core.actions.advise import advise
from inferguard_core.actions.track_record import ActionHistory, Graded

__all__ = ["ActionHistory", "Graded", "advise"]
