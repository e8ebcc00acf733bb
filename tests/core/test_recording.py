"""Reading recordings: real ones, other recorders' and damaged ones."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferguard_core.poll import EndpointFacts, Failure, FailureKind, ModelCard, Poll, ProofLevel
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import RecordingFile, RecordingSource

HEADER = {
    "inferguard_recording": 1,
    "endpoint": "http://127.0.0.1:8000",
    "created_unix": 1000.0,
    "interval_s": 2.0,
    "note": "n",
}
SHARED = Path(__file__).parents[3] / "shared" / "recordings"


def poll_line(t, body="a 1\n", status=200, **more):
    return {"t": t, "unix": 1000.0 + t, "status": status, "ms": 1.5, "body": body} | more


def packed(*entries):
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def opened(tmp_path, data):
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(data)
    return RecordingFile.open(path)


def loaded(tmp_path, data):
    recording = opened(tmp_path, data)
    assert isinstance(recording, RecordingFile), recording
    return recording.load()


def real_recordings():
    paths = sorted(SHARED.glob("*.jsonl.gz"))
    return paths or [pytest.param(None, marks=pytest.mark.skip(reason=f"no recordings at {SHARED}"))]


@pytest.mark.parametrize("path", real_recordings(), ids=lambda path: path.name if path else "none")
def test_a_real_recording_reads_whole(path):
    """Every line after the header is a poll, as the standard gzip and json modules read them."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file][1:]
    recording = RecordingFile.open(path)
    assert isinstance(recording, RecordingFile)
    polls = list(recording.polls())
    assert recording.warnings == []
    assert [(poll.t, poll.unix, poll.ms) for poll in polls] == [
        (each["t"], each["unix"], each["ms"]) for each in lines
    ]
    assert [poll.body for poll in polls] == [
        each["body"] if each["status"] == 200 else None for each in lines
    ]
    kinds = {"TimeoutError": FailureKind.TIMED_OUT, "ClientConnectorError": FailureKind.REFUSED, 200: None}
    assert [poll.failure and poll.failure.kind for poll in polls] == [kinds[each["status"]] for each in lines]


def test_the_header_is_read(tmp_path):
    recording = opened(tmp_path, packed(HEADER))
    assert isinstance(recording, RecordingFile)
    header = recording.header
    assert (header.endpoint, header.created_unix, header.interval_s, header.note) == (
        "http://127.0.0.1:8000",
        1000.0,
        2.0,
        "n",
    )


@pytest.mark.parametrize(
    ("status", "kind", "number"),
    [
        ("Refused", FailureKind.REFUSED, None),
        ("TlsError", FailureKind.TLS, None),
        ("ServerDisconnectedError", FailureKind.DISCONNECTED, None),
        ("ReadTimeout", FailureKind.TIMED_OUT, None),
        ("SomethingElse", FailureKind.UNREACHABLE, None),
        (503, FailureKind.HTTP_ERROR, 503),
        (401, FailureKind.UNAUTHORIZED, 401),
        (302, FailureKind.REDIRECTED, 302),
    ],
)
def test_a_status_that_is_no_page_is_a_failure(tmp_path, status, kind, number):
    (poll,) = loaded(tmp_path, packed(HEADER, poll_line(0, body="", status=status))).polls
    assert poll.body is None
    assert poll.failure
    assert (poll.failure.kind, poll.failure.status) == (kind, number)
    assert str(status) in poll.failure.message


@pytest.mark.parametrize("models", [["m"], [{"id": "m", "object": "model"}]])
def test_what_an_engine_said_of_itself_is_read(tmp_path, models):
    line = poll_line(0, aux={"version": "0.33.0", "models": models})
    (poll,) = loaded(tmp_path, packed(HEADER, line)).polls
    assert poll.facts == EndpointFacts("0.33.0", (ModelCard("m"),))


def test_times_that_are_missing_come_from_the_header(tmp_path):
    (poll,) = loaded(tmp_path, packed(HEADER, {"t": 3, "status": 200, "body": "a 1\n"})).polls
    assert (poll.t, poll.unix, poll.ms) == (3.0, 1003.0, 0.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 3 is not a JSON object"),
        ("[1]", "line 3 is not a JSON object"),
        (poll_line(1) | {"t": "x"}, "line 3 has no time"),
        (poll_line(1) | {"t": float("inf")}, "line 3 has no time"),
        (poll_line(1) | {"t": 10**400}, "line 3 has no time"),
        (poll_line(1, status=True), "line 3 has no status"),
        (poll_line(1, body=7), "line 3 has no body"),
        (poll_line(-5), "line 3 goes back in time"),
    ],
)
def test_a_line_that_is_no_poll_is_left_out_with_a_warning(tmp_path, line, said):
    recording = loaded(tmp_path, packed(HEADER, poll_line(0), line, poll_line(2)))
    assert [poll.t for poll in recording.polls] == [0.0, 2.0]
    (warning,) = recording.warnings
    assert said in warning


def test_many_bad_lines_are_counted_and_not_listed(tmp_path):
    recording = loaded(tmp_path, packed(HEADER, *["x"] * 1000))
    assert len(recording.warnings) < 30
    assert "1000 lines" in recording.warnings[-1]


def test_members_that_were_appended_read_as_one(tmp_path):
    data = packed(HEADER, poll_line(0)) + packed(poll_line(1)) + gzip.compress(b"") + packed(poll_line(2))
    recording = loaded(tmp_path, data)
    assert ([poll.t for poll in recording.polls], recording.warnings) == ([0.0, 1.0, 2.0], ())


@pytest.mark.parametrize("tail", [b"\0" * 100, b"junk"])
def test_bytes_after_the_end_are_left_out_with_a_warning(tmp_path, tail):
    recording = loaded(tmp_path, packed(HEADER, poll_line(0)) + tail)
    assert len(recording.polls) == 1
    assert "after the end" in recording.warnings[0]


def test_damage_in_the_middle_reads_up_to_it(tmp_path):
    good = packed(HEADER, poll_line(0))
    recording = loaded(tmp_path, good + packed(poll_line(1))[:10] + b"\xff" * 50)
    assert [poll.t for poll in recording.polls] == [0.0]
    assert "damaged" in recording.warnings[0]


@given(data=st.data(), bodies=st.lists(st.text(max_size=300), min_size=1, max_size=6))
@settings(max_examples=150)
def test_a_file_cut_at_any_byte_reads_every_line_that_inflates(tmp_path_factory, data, bodies):
    whole = packed(HEADER, *(poll_line(t, body) for t, body in enumerate(bodies)))
    cut = data.draw(st.integers(0, len(whole) - 1))
    recording = opened(tmp_path_factory.mktemp("cut"), whole[:cut])
    complete = _standard_reader(whole[:cut]).count(b"\n")
    if complete == 0:
        return
    assert isinstance(recording, RecordingFile), recording
    polls = list(recording.polls())
    assert [poll.body for poll in polls[: complete - 1]] == bodies[: complete - 1]
    # One more when the cut fell between a line's end and its newline.
    assert complete - 1 <= len(polls) <= complete
    assert "cut off" in recording.warnings[-1]


def _standard_reader(data):
    """What the gzip module yields of cut data, byte by byte."""
    got = b""
    file = gzip.GzipFile(fileobj=io.BytesIO(data))
    try:
        while byte := file.read(1):
            got += byte
    except (EOFError, gzip.BadGzipFile):
        pass
    return got


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b'{"inferguard_recording": 1}\n', "is not gzip"),
        (gzip.compress(b"hello\n", mtime=0), "not the header of a recording"),
        (gzip.compress(b"", mtime=0), "not the header of a recording"),
        (packed(HEADER)[:8], "not the header of a recording"),
        (
            packed(HEADER | {"inferguard_recording": 2}),
            "format 2 cannot be read; this program reads format 1",
        ),
        (packed(HEADER | {"inferguard_recording": True}), "format True"),
        (packed(HEADER | {"interval_s": 0}), "lacks a valid"),
        (packed({"inferguard_recording": 1}), "lacks a valid"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_line(tmp_path, data, said):
    refused = opened(tmp_path, data)
    assert isinstance(refused, BadInput)
    assert said in refused.message
    assert str(tmp_path / "r.jsonl.gz") in refused.message
    assert "\n" not in refused.message


def test_a_missing_file_and_a_folder_are_refused_in_one_line(tmp_path):
    missing, folder = RecordingFile.open(tmp_path / "none.gz"), RecordingFile.open(tmp_path)
    assert isinstance(missing, BadInput)
    assert "No such file" in missing.message
    assert isinstance(folder, BadInput)
    assert "directory" in folder.message


def test_a_gzip_bomb_of_one_line_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("inferguard_core.sources.gzip_lines.MAX_LINE_BYTES", 1_000_000)
    recording = loaded(tmp_path, packed(HEADER, poll_line(0)) + gzip.compress(b"x" * 5_000_000))
    assert len(recording.polls) == 1
    assert "longer than 1000000 bytes" in recording.warnings[0]


async def test_a_source_of_polls_hands_them_out_and_then_says_that_it_ended():
    polls = [
        Poll(0.0, 1000.0, 1.0, body="a 1\n"),
        Poll(2.0, 1002.0, 1.0, failure=Failure(FailureKind.REFUSED, "r")),
    ]
    source = RecordingSource("http://127.0.0.1:8000", polls)
    assert source.proof is ProofLevel.RECORDED
    assert [await source.poll(), await source.poll()] == polls
    for _ in range(2):
        end = await source.poll()
        assert end.failure
        assert (end.t, end.failure.kind) == (2.0, FailureKind.ENDED)


async def test_a_source_without_polls_has_ended():
    end = await RecordingSource("http://127.0.0.1:8000", []).poll()
    assert end.body is None
    assert end.failure
    assert end.failure.kind is FailureKind.ENDED
