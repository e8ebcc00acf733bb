"""Reading ISB-1: what is a session, what is missing, and where a file is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from inferguard_core.replay.content import as_prompt
from inferguard_core.replay.export import TARGET_TOKENS, Export, read_export
from inferguard_core.sources.bad_input import BadInput
from tests.replay.exports import cell, event, export, written

EXAMPLES = Path(__file__).parents[1] / "fixtures" / "isb1"


def good(path: Path) -> Export:
    found = read_export(path)
    assert isinstance(found, Export), found
    return found


def wrong(path: Path) -> str:
    found = read_export(path)
    assert isinstance(found, BadInput)
    assert "\n" not in found.message
    return found.message


def test_a_trace_waits_by_the_difference_of_its_offsets() -> None:
    first, other = good(EXAMPLES / "trace_replay.json").cells
    assert [turn.wait_s for turn in first.turns] == [0.0, 1.5]
    assert [turn.target_tokens for turn in first.turns] == [32, 32]
    assert (first.session_id, other.session_id) == ("demo_session_1", "demo_trace_1")
    assert other.support_status == "unsupported"


def test_a_multiturn_session_waits_as_its_turns_say() -> None:
    (found,) = good(EXAMPLES / "multiturn.json").cells
    assert [turn.wait_s for turn in found.turns] == [0.0, 0.25]
    assert [message.role for message in found.turns[1].messages] == ["system", "user", "assistant", "user"]


def test_an_asset_named_by_its_path_is_missing_and_the_text_beside_it_is_sent() -> None:
    second = good(EXAMPLES / "trace_replay.json").cells[0].turns[1]
    (asset,) = second.missing
    assert (asset.kind, asset.declared_tokens) == ("document", 4096)
    assert asset.at == "$.exports[0].events[1].input_messages[2].content_blocks[1]"
    assert ("user", "[tool] exit 0") in [(m.role, m.text) for m in second.messages]
    assert "missing.txt" not in as_prompt(second.messages)


def test_an_asset_with_its_text_is_content(tmp_path: Path) -> None:
    block = {"type": "document", "asset_path": "a.txt", "text": "inline", "asset_token_count": 9}
    turns = [event(0, 0) | {"input_messages": [{"role": "retrieval", "content_blocks": [block]}]}]
    (found,) = good(written(tmp_path, export(cell(events=turns)))).cells[0].turns
    assert found.missing == ()
    assert [(m.role, m.text) for m in found.messages] == [("user", "[retrieval] inline")]


def test_content_in_parts_is_joined_and_an_image_is_missing(tmp_path: Path) -> None:
    content = [
        {"type": "text", "text": "one"},
        {"type": "image_url", "image_url": {"url": "x"}},
        {"text": "two"},
    ]
    turns = [event(0, 0) | {"input_messages": [{"role": "user", "content": content}]}]
    (found,) = good(written(tmp_path, export(cell(events=turns)))).cells[0].turns
    assert found.messages[0].text == "one\n\ntwo"
    assert [asset.kind for asset in found.missing] == ["image_url"]


def test_unknown_fields_are_ignored_and_a_length_that_is_not_said_is_the_usual_one(tmp_path: Path) -> None:
    turns = [{**event(0, 0), "later": {"x": 1}}]
    del turns[0]["target_output_tokens"]
    found = good(written(tmp_path, export(cell(events=turns, colour="blue"), served_shape=[1], x=None)))
    assert found.cells[0].turns[0].target_tokens == TARGET_TOKENS


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([], "$: an object is needed"),
        ({"exports": []}, "$.adapter_id: missing"),
        (
            {"adapter_id": "other", "exports": [1]},
            "$.adapter_id: inferencex_trace_replay or inferencex_multiturn",
        ),
        (export(), "$.exports: at least one cell"),
        (export(7), "$.exports[0]: an object"),
        (export({**cell(), "trace_id": None}), "$.exports[0].trace_id: missing"),
        (export(cell(events=[])), "$.exports[0].events: at least one turn"),
        (
            export(cell(events=[event(0, -1)])),
            "$.exports[0].events[0].arrival_time_offset_ms: a number of at least 0",
        ),
        (
            export(cell(events=[event(0, 500), event(1, 100)])),
            "$.exports[0].events[1].arrival_time_offset_ms: an offset of at least the one before, 500",
        ),
        (
            export(
                cell(), cell(events=[event(0, 0) | {"input_messages": [{"role": "robot", "content": "x"}]}])
            ),
            "$.exports[1].events[0].input_messages[0].role: one of system, user",
        ),
        (
            export(cell(events=[event(0, 0) | {"input_messages": [{"role": "user"}]}])),
            "$.exports[0].events[0].input_messages[0].content: missing",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_by_its_json_path(content: object, named: str, tmp_path: Path) -> None:
    assert named in wrong(written(tmp_path, content))


def test_a_file_that_is_no_json_or_not_there_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"adapter_id":\n', "utf-8")
    assert "line 2: not JSON" in wrong(broken)
    broken.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in wrong(broken)
    assert "No such file" in wrong(tmp_path / "none.json")
    broken.write_text("[" * 100_000, "utf-8")
    assert str(broken) in wrong(broken)


class TestPrefixes:
    """Schema 0.2.0: events beside the export."""

    def bundle(
        self, directory: Path, *, sha: str | None = None, relative: str = "prefixes/p1.json", **more
    ) -> Path:
        sidecar = directory / "prefixes" / "p1.json"
        sidecar.parent.mkdir(exist_ok=True)
        sidecar.write_text(json.dumps({"events": [event(0, 0), event(1, 2000)]}), "utf-8")
        stated = sha or hashlib.sha256(sidecar.read_bytes()).hexdigest()
        referring = {**cell(), "prefix_ref": "p1", **more}
        if "events" not in more:
            del referring["events"]
        index = {"p1": {"relative_path": relative, "sha256": stated}}
        return written(directory, export(referring, prefix_index=index, schema_version="0.2.0"))

    def test_events_come_from_the_file(self, tmp_path: Path) -> None:
        (found,) = good(self.bundle(tmp_path)).cells
        assert [turn.wait_s for turn in found.turns] == [0.0, 2.0]

    def test_a_file_that_was_changed_is_refused(self, tmp_path: Path) -> None:
        assert "$.prefix_index.p1.sha256" in wrong(self.bundle(tmp_path, sha="0" * 64))

    def test_both_embedded_and_referred_is_refused(self, tmp_path: Path) -> None:
        said = wrong(self.bundle(tmp_path, events=[event(0, 0)]))
        assert "$.exports[0].prefix_ref: stands beside embedded events" in said

    def test_a_path_that_leads_out_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "inner").mkdir()
        (tmp_path / "p1.json").write_text("{}", "utf-8")
        said = wrong(self.bundle(tmp_path / "inner", relative="../p1.json"))
        assert "a path below the export's directory" in said

    def test_an_unknown_reference_is_named(self, tmp_path: Path) -> None:
        assert "no p2 in $.prefix_index" in wrong(self.bundle(tmp_path, prefix_ref="p2"))
