"""What is said of real engines under faults: our own recordings, against the labels of the fault injector."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.diagnose import EpisodeMemory, diagnose, remember
from inferguard_core.frame import Incident, IncidentState, Severity
from inferguard_core.poll import ProofLevel
from inferguard_core.scene import Scene
from inferguard_core.sources.recording import Recording, RecordingFile
from inferguard_core.watch import EndpointWatch
from inferguard_core.window import Window

if TYPE_CHECKING:
    from inferguard_core.verdict import Diagnosis

SHARED = Path(__file__).parents[3] / "shared" / "recordings"
FAULTS = (
    "vllm-0.32-kv_pressure",
    "vllm-0.32-prefix_thrash",
    "vllm-0.32-client_aborts",
    "vllm-0.32-stall",
    "vllm-0.32-crash",
    "sglang-0.5.23-kv_pressure",
    "sglang-0.5.23-prefix_thrash",
)
SETTLED_S = 30.0
"""After the label's onset; the rules themselves take up to this to be sure."""


def opened(name: str) -> tuple[Recording, dict[str, Any]]:
    path = SHARED / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here: the recordings lie beside the checkout")
    file = RecordingFile.open(path)
    assert isinstance(file, RecordingFile)
    labels = json.loads((SHARED / f"{name}.labels.json").read_text())
    return file.load(), labels["episodes"][0]


def diagnoses(name: str, every: int) -> list[tuple[float, Diagnosis]]:
    """Of each poll with an open incident. Where no rule has opened one, the label's stands in."""
    recording, episode = opened(name)
    header = recording.header
    watch = EndpointWatch(header.endpoint, "engine", header.interval_s * every, ProofLevel.RECORDED, Limits())
    memory, told = EpisodeMemory(), []
    first = recording.polls[0]
    onset = first.unix - first.t + episode["onset"]
    stand_in = Incident(
        "labelled", "x", IncidentState.OPEN, Severity.WARNING, Severity.WARNING, onset + 10, onset + 15, None, (), 0, ""
    )  # fmt: skip
    for poll in recording.polls[::every]:
        watch.observe(poll)
        labelled = episode["onset"] + 15 <= poll.t <= episode["end"]
        incident = watch.log.open or (stand_in if labelled else None)
        newest = watch._history.newest
        if incident is None or newest is None or watch.seen is None:
            continue
        scene = Scene(
            header.endpoint,
            poll.unix,
            Window(watch._history, newest),
            watch.seen.reading,
            watch._situation(),
            watch.findings,
            watch.anomalies(poll.unix),
            replace(incident, id="one"),
            Limits(),
        )
        memory = remember(memory, scene)
        told.append((poll.t, diagnose(scene, memory)))
    return told


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("name", FAULTS)
def test_the_cause_is_right_when_the_episode_ends(name: str, every: int) -> None:
    _, episode = opened(name)
    told = [d for t, d in diagnoses(name, every) if t <= episode["end"]]
    assert told[-1].cause in episode["cause"]


@pytest.mark.parametrize("name", FAULTS)
def test_once_settled_no_other_cause_is_named_while_the_fault_lasts(name: str) -> None:
    _, episode = opened(name)
    settled = [d for t, d in diagnoses(name, 1) if episode["onset"] + SETTLED_S <= t <= episode["end"]]
    assert {d.cause for d in settled} <= {*episode["cause"], "unclear"}


def test_a_frozen_core_that_thaws_is_still_said_to_have_been_frozen() -> None:
    """The crowd that waited queues up at once, which is a consequence."""
    thawed = [d for t, d in diagnoses("vllm-0.32-stall", 1) if t > 68.57]
    assert {d.cause for d in thawed} == {"engine_stalled"}


def test_what_changed_before_kv_pressure_is_the_length_of_the_outputs_and_what_they_hold() -> None:
    _, told = diagnoses("vllm-0.32-kv_pressure", 1)[-1]
    words = " ".join(told.changed_before)
    assert "output length" in words
    assert "KV tokens per running request" in words
