"""What reading one page costs: our reader and prometheus_client's text parser on the same bodies, in one run.

Both read every family of a recorded vLLM engine. Ours reads the polls in their order, as a session does: the
first page of a new reader is timed apart from the polls that follow it. CPU time, the least of several
rounds; the ratios are the finding, since milliseconds depend on the machine. Both must give the same samples.
"""

from __future__ import annotations

import gzip
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from inferguard_core.exposition import ExpositionReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 7
COMPARED = 12
"""Bodies that prometheus_client reads: it takes seconds for them all."""
ASKED = 15

_ROOT = Path(__file__).parents[1]
_RECORDINGS = (
    _ROOT.parent / "shared/recordings/vllm-0.32-kv_pressure.jsonl.gz",
    _ROOT / "tests/fixtures/recordings/vllm-0.32-kv_pressure-onset.jsonl.gz",
)


def _bodies() -> list[str]:
    """Every page of the whole recording where it is at hand, else of the part that we carry."""
    recording = next(path for path in _RECORDINGS if path.exists())
    polls = gzip.decompress(recording.read_bytes()).decode().splitlines()[1:]
    return [body for body in (json.loads(poll)["body"] for poll in polls) if body]


def _difference(bodies: Sequence[str]) -> str | None:
    """First sample on which the two disagree; None when there is none."""
    reader = ExpositionReader()
    for body in bodies:
        families = text_string_to_metric_families(body)
        theirs = [(s.name, s.labels, s.value) for family in families for s in family.samples]
        ours = [(series.name, series.labels, value) for series, value in reader.read(body).samples]
        if len(ours) != len(theirs):
            return f"{len(ours)} samples, prometheus_client has {len(theirs)}"
        for mine, other in zip(ours, theirs, strict=True):
            both_nan = math.isnan(mine[2]) and math.isnan(other[2])
            if mine[:2] != other[:2] or not (both_nan or mine[2] == other[2]):
                return f"{mine} is {other} in prometheus_client"
    return None


def _seconds(read: Callable[[str], object], bodies: Sequence[str]) -> float:
    """CPU seconds a body."""
    start = time.process_time()
    for body in bodies:
        read(body)
    return (time.process_time() - start) / len(bodies)


def _read_all(body: str) -> None:
    for _ in text_string_to_metric_families(body):
        pass


def run() -> list[str]:
    """The findings, a line each."""
    bodies = _bodies()
    compared = bodies[:: max(1, len(bodies) // COMPARED)]
    different = _difference(compared)
    if different is not None:
        return [f"exposition: DIFFERENT samples: {different}"]
    first = following = theirs = math.inf
    for _ in range(ROUNDS):
        reader = ExpositionReader()
        first = min(first, _seconds(reader.read, bodies[:1]))
        following = min(following, _seconds(reader.read, bodies[1:]))
        theirs = min(theirs, _seconds(_read_all, compared))
    lines = sum(body.count("\n") for body in compared) // len(compared)
    next_polls = f"{following * 1e3:.2f} ms against {theirs * 1e3:.2f} ms a page"
    return [
        f"exposition: {len(bodies)} polls of {lines} lines, same samples as prometheus_client",
        f"exposition, next polls: {theirs / following:.0f}x prometheus_client (asked: {ASKED}x), {next_polls}",
        f"exposition, first page: {theirs / first:.1f}x, {first * 1e3:.2f} ms",
    ]


def main() -> None:
    print("\n".join(run()))


if __name__ == "__main__":
    main()
