"""Scores recordings of real engines by the labels beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from evaluate.run import Outcome
from evaluate.score import Event, score_run
from inferguard_core.detect.limits import Limits
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import RecordingFile
from inferguard_core.watch import EndpointWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PLACES = (ROOT.parent / "shared" / "recordings", ROOT / "tests" / "fixtures" / "recordings")
"""The first of these that holds a labelled recording is taken."""
SUFFIX = ".jsonl.gz"


def labelled() -> list[Path]:
    """Recordings with a labels file beside them."""
    for place in PLACES:
        found = [path for path in sorted(place.glob(f"*{SUFFIX}")) if _labels(path).exists()]
        if found:
            return found
    return []


def scored(paths: list[Path]) -> Iterator[Outcome]:
    """One outcome each, at the interval of the recording. A file that cannot be read is said so and scored empty."""
    for path in paths:
        opened = RecordingFile.open(path)
        labels = json.loads(_labels(path).read_text("utf-8"))
        name = path.name.removesuffix(SUFFIX)
        if isinstance(opened, BadInput):
            # Without a poll nothing is found: every episode of it counts as missed.
            yield Outcome(name, opened.message, "recorded", 0.0, score_run([], labels, 0.0))
            continue
        events, ended_s = _replayed(opened)
        interval_s = opened.header.interval_s
        yield Outcome(name, name, "recorded", interval_s, score_run(events, labels, ended_s))


def _labels(path: Path) -> Path:
    return path.with_name(path.name.replace(SUFFIX, ".labels.json"))


def _replayed(recording: RecordingFile) -> tuple[list[Event], float]:
    header = recording.header
    watch = EndpointWatch(header.endpoint, header.name, header.interval_s, ProofLevel.RECORDED, Limits())
    events: list[Event] = []
    ended_s = 0.0
    for poll in recording.polls():
        ended_s = poll.t
        events += [event.to_json() for event in watch.observe(poll)]
    return events, ended_s
