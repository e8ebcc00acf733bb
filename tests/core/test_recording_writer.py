"""Writing recordings: round trip, survival of a kill, and errors of the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.poll import EndpointFacts, Failure, FailureKind, ModelCard, Poll
from inferguard_core.recorder import RecordingWriter, recording_paths
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import Header, RecordingFile

HEADER = Header("http://127.0.0.1:8000", 1000.0, 2.0, "note")

times = st.floats(0, 1e6).map(lambda value: round(value, 3))
lines = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40)
failures = st.builds(
    Failure,
    st.sampled_from(
        [kind for kind in FailureKind if kind not in {"HttpError", "Unauthorized", "Redirected"}]
    ),
    lines,
) | st.sampled_from(
    [
        Failure(FailureKind.HTTP_ERROR, "busy", 503),
        Failure(FailureKind.UNAUTHORIZED, "key", 401),
        Failure(FailureKind.REDIRECTED, "moved", 307),
    ]
)
facts = st.none() | st.builds(
    EndpointFacts,
    st.none() | lines,
    st.lists(st.builds(ModelCard, lines, st.none() | st.integers(1, 10**7))).map(tuple),
    st.lists(lines).map(tuple),
    st.dictionaries(lines, lines, max_size=4),
)
bodies = st.text(st.characters(exclude_categories=["Cs"]), max_size=500)
polls = st.builds(
    lambda ms, body, failure, facts: Poll(
        0.0, 0.0, ms, body=None if failure else body, failure=failure, facts=facts
    ),
    times,
    bodies,
    st.none() | failures,
    facts,
)


def written(path, some, header=HEADER):
    writer = RecordingWriter.create(path, header)
    assert isinstance(writer, RecordingWriter), writer
    for poll in some:
        assert writer.write(poll) is None
    assert writer.close() is None
    return writer


def read(path):
    recording = RecordingFile.open(path)
    assert isinstance(recording, RecordingFile), recording
    return recording.load()


@given(st.lists(polls, max_size=5), st.lists(times, min_size=5, max_size=5))
def test_what_was_written_is_read(tmp_path_factory, some, at):
    path = tmp_path_factory.mktemp("round") / "r.jsonl.gz"
    some = [replace(poll, t=t, unix=round(1000.0 + t, 3)) for poll, t in zip(some, sorted(at), strict=False)]
    written(path, some)
    recording = read(path)
    begin = some[0].t if some else 0.0
    assert recording.header == HEADER
    assert recording.warnings == ()
    assert [replace(poll, t=0.0) for poll in recording.polls] == [replace(poll, t=0.0) for poll in some]
    assert [poll.t for poll in recording.polls] == pytest.approx([poll.t - begin for poll in some], abs=1e-6)


def test_the_file_is_what_the_standard_tools_read(tmp_path):
    path = tmp_path / "r.jsonl.gz"
    written(
        path,
        [
            Poll(5.0, 1000.5, 12.0, body='a{b="ü"} 1\n'),
            Poll(7.0, 1002.5, 3.0, failure=Failure(FailureKind.REFUSED, "no")),
        ],
    )
    lines = [json.loads(line) for line in subprocess.check_output(["gzip", "-dc", path]).splitlines()]
    assert lines == [
        {
            "inferguard_recording": 1,
            "endpoint": HEADER.endpoint,
            "created_unix": 1000.0,
            "interval_s": 2.0,
            "note": "note",
        },
        {"t": 0.0, "unix": 1000.5, "status": 200, "ms": 12.0, "body": 'a{b="ü"} 1\n'},
        {"t": 2.0, "unix": 1002.5, "status": "Refused", "ms": 3.0, "body": "", "error": "no"},
    ]


def test_a_killed_writer_leaves_every_poll_readable(tmp_path):
    path = tmp_path / "r.jsonl.gz"
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from inferguard_core.poll import Poll\n"
        "from inferguard_core.recorder import RecordingWriter\n"
        "from inferguard_core.sources.recording import Header\n"
        "writer = RecordingWriter.create(Path(sys.argv[1]), Header('http://h:1', 0.0, 1.0))\n"
        "for t in range(20): writer.write(Poll(float(t), float(t), 1.0, body=f'a {t}\\n' * 500))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    ended = subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    recording = read(path)
    assert [poll.body for poll in recording.polls] == [f"a {t}\n" * 500 for t in range(20)]
    assert "cut off" in recording.warnings[0]


def test_an_existing_file_is_left_alone_unless_told(tmp_path):
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(b"precious")
    refused = RecordingWriter.create(path, HEADER)
    assert isinstance(refused, BadInput)
    assert f"{path}: exists" in refused.message
    assert path.read_bytes() == b"precious"
    writer = RecordingWriter.create(path, HEADER, overwrite=True)
    assert isinstance(writer, RecordingWriter)
    writer.close()
    assert read(path).polls == ()


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    refused = RecordingWriter.create(tmp_path / "none" / "r.jsonl.gz", HEADER)
    assert isinstance(refused, BadInput)
    assert "No such file or directory" in refused.message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_a_value_at_once():
    refused = RecordingWriter.create(Path("/dev/full"), HEADER, overwrite=True)
    assert isinstance(refused, BadInput)
    assert refused.message == "/dev/full: No space left on device; the recording ends here"


def test_after_an_error_of_the_disk_every_write_says_so_and_nothing_is_raised(tmp_path):
    resource = pytest.importorskip("resource")
    writer = RecordingWriter.create(tmp_path / "r.jsonl.gz", HEADER)
    assert isinstance(writer, RecordingWriter)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (writer.path.stat().st_size + 100, hard))
    try:
        big = Poll(0.0, 0.0, 1.0, body=os.urandom(5000).hex())
        errors = [writer.write(big), writer.write(big), writer.close(), writer.close()]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [str(error) for error in errors] == [f"{writer.path}: File too large; the recording ends here"] * 4


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["gpu1:8000"], ["night.jsonl.gz"]),
        (["gpu1:8000", "[::1]:8001"], ["night-gpu1-8000.jsonl.gz", "night-1-8001.jsonl.gz"]),
        (
            ["gw:80", "gw:80", "gw:80"],
            ["night-gw-80.jsonl.gz", "night-gw-80-2.jsonl.gz", "night-gw-80-3.jsonl.gz"],
        ),
    ],
)
def test_each_endpoint_has_a_file_of_its_own(names, expected):
    paths = recording_paths(Path("/data/night.jsonl.gz"), names)
    assert paths == tuple(Path("/data") / name for name in expected)
