"""Every panel of the dashboard, in reading order."""

from __future__ import annotations

from inferguard_tui.panels.advisories import ADVISORIES
from inferguard_tui.panels.anomalies import ANOMALIES
from inferguard_tui.panels.diagnosis import DIAGNOSIS
from inferguard_tui.panels.figures import PREEMPTION, PREFIX, WORK
from inferguard_tui.panels.incidents import INCIDENTS
from inferguard_tui.panels.kv import KV
from inferguard_tui.panels.latency import LATENCY
from inferguard_tui.panels.queue import QUEUE
from inferguard_tui.panels.status import STATUS

PANELS = (KV, QUEUE, LATENCY, WORK, PREFIX, PREEMPTION, STATUS, ANOMALIES, DIAGNOSIS, ADVISORIES, INCIDENTS)
