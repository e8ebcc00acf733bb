"""What one poll of one endpoint costs from text to Frame, and how much of it is reading, judging and assembling.

All in one process and one run on the bodies of a recording; the shares are the finding, the milliseconds are
this machine's.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.engines import EngineReader
from inferguard_core.frame import Frame
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.recording import Recording, RecordingFile
from inferguard_core.watch import EndpointWatch

ROUNDS = 5
FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "recordings" / "vllm-0.32-kv_pressure.jsonl.gz"
WHOLE = Path(__file__).parents[2] / "shared" / "recordings" / "vllm-0.32-kv_pressure.jsonl.gz"


def run() -> list[str]:
    path = WHOLE if WHOLE.exists() else FIXTURE
    opened = RecordingFile.open(path)
    assert isinstance(opened, RecordingFile)
    recording = opened.load()
    costs = min((_play(recording) for _ in range(ROUNDS)), key=lambda c: c.total)
    kib = len(recording.polls[0].body or "") / 1024
    return [
        f"{path.name}: {len(recording.polls)} polls of {kib:.0f} KiB; CPU per poll, best of {ROUNDS} rounds",
        f"  {'':26}  {'mean':>8}  {'median':>8}  {'p95':>8}",
        _line("text to Reading", costs.reading),
        _line("detect, diagnose, advise", costs.judging),
        _line("  of these in an incident", costs.in_incident),
        _line("Frame", costs.framing),
    ]


@dataclass
class Costs:
    """CPU seconds of each poll, by part."""

    reading: list[float] = field(default_factory=list)
    judging: list[float] = field(default_factory=list)
    in_incident: list[float] = field(default_factory=list)
    framing: list[float] = field(default_factory=list)

    @property
    def total(self) -> float:
        return sum(self.reading) + sum(self.judging) + sum(self.framing)


def _play(recording: Recording) -> Costs:
    """One pass. The page is read once more by a reader of its own, to tell reading from judging."""
    costs, reader = Costs(), EngineReader()
    watch = EndpointWatch("http://a", "a", recording.header.interval_s, ProofLevel.RECORDED, Limits())
    for seq, poll in enumerate(recording.polls):
        start = time.process_time()
        reader.read(poll.body or "")
        read = time.process_time()
        watch.observe(poll)
        seen = time.process_time()
        Frame(seq, poll.unix, (endpoint_frame(watch, poll.unix, 0.0),))
        end = time.process_time()
        costs.reading.append(read - start)
        costs.judging.append(max(0.0, (seen - read) - (read - start)))
        costs.framing.append(end - seen)
        if watch.log.open is not None:
            costs.in_incident.append(costs.judging[-1])
    return costs


def _line(part: str, seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    shown = (statistics.fmean(ordered), statistics.median(ordered), p95)
    return f"  {part:<26}  " + "  ".join(f"{s * 1e3:6.3f} ms"[:9].rjust(8) for s in shown)


if __name__ == "__main__":
    print("\n".join(run()))
