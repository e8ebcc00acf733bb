"""What one poll of one endpoint costs from text to Frame, and how much of it is reading, judging and assembling.

All in one process and one run on the bodies of a recording; the shares are the finding, the milliseconds are
this machine's.
"""

from __future__ import annotations

import statistics
import time
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
    read = min(_reading(recording) for _ in range(ROUNDS))
    observed, framed, slowest = min(_watching(recording) for _ in range(ROUNDS))
    polls = len(recording.polls)
    return [
        f"{path.name}: {polls} polls, {len(recording.polls[0].body or '') / 1024:.0f} KiB a page; CPU per poll, best of {ROUNDS}",
        f"  text to Reading            {read / polls * 1e3:6.3f} ms",
        f"  history, rules, incidents  {(observed - read) / polls * 1e3:6.3f} ms",
        f"  Frame                      {framed / polls * 1e3:6.3f} ms",
        f"  poll to Frame              {(observed + framed) / polls * 1e3:6.3f} ms (median of the slowest tenth {slowest * 1e3:.3f} ms)",
    ]


def _reading(recording: Recording) -> float:
    reader = EngineReader()
    began = time.process_time()
    for poll in recording.polls:
        reader.read(poll.body or "", "0.32.0")
    return time.process_time() - began


def _watching(recording: Recording) -> tuple[float, float, float]:
    """CPU seconds in observing, in assembling, and the median of the slowest tenth of both together."""
    watch = EndpointWatch("http://a", "a", 1.0, ProofLevel.RECORDED, Limits())
    observing = framing = 0.0
    each: list[float] = []
    for seq, poll in enumerate(recording.polls):
        start = time.process_time()
        watch.observe(poll)
        seen = time.process_time()
        Frame(seq, poll.unix, (endpoint_frame(watch, poll.unix, 0.0),))
        end = time.process_time()
        observing += seen - start
        framing += end - seen
        each.append(end - start)
    return observing, framing, statistics.median(sorted(each)[-max(1, len(each) // 10) :])


if __name__ == "__main__":
    print("\n".join(run()))
