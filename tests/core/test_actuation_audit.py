"""The audit: appended, linked, private, and its own cooldowns after a restart."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from typing import TYPE_CHECKING

import pytest

from inferguard_core.actuation import audit as auditing
from inferguard_core.actuation.attempts import attempts
from inferguard_core.actuation.audit import Audit, AuditError
from inferguard_core.followup import Grade, Outcome

if TYPE_CHECKING:
    from pathlib import Path


def line(outcome: str, **changes: object) -> dict[str, object]:
    return {
        "execution_id": "e1", "action_id": "a1", "action_type": "throttle_concurrency", "endpoint": "http://e",
        "incident_id": "i", "mode": "live", "outcome": outcome, "requested_unix": 100.0, "verify_at_unix": 220.0,
        "grade": None, **changes,
    }  # fmt: skip


def write(audit: Audit, *lines: dict[str, object]) -> None:
    for one in lines:
        with audit.book() as book:
            book.append(one)


def test_lines_are_linked_and_whole(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "state")
    assert audit.read() == ((), ())
    write(audit, line("sending"), line("applied"), line("applied", grade="helped"))
    trail = audit.read()
    assert [r["outcome"] for r in trail.records] == ["sending", "applied", "applied"]
    assert trail.broken == ()
    assert trail.records[1]["prev"] == trail.records[0]["hash"]


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        audit = Audit(tmp_path / "state")
        write(audit, line("sending"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(audit.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(audit.path.parent.stat().st_mode) == 0o700


def test_one_that_was_left_open_to_others_is_closed(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.path.write_text("")
    audit.path.chmod(0o644)
    write(audit, line("sending"))
    assert stat.S_IMODE(audit.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("spoil", ["change", "remove", "swap"])
def test_what_was_tampered_with_shows(tmp_path: Path, spoil: str) -> None:
    audit = Audit(tmp_path)
    write(audit, *(line("sending", execution_id=f"e{i}") for i in range(4)))
    rows = audit.path.read_text().splitlines()
    if spoil == "change":
        rows[1] = rows[1].replace("http://e", "http://f")
    elif spoil == "remove":
        del rows[1]
    else:
        rows[1], rows[2] = rows[2], rows[1]
    audit.path.write_text("\n".join(rows) + "\n")
    assert audit.read().broken


def test_a_line_cut_off_by_a_crash_spoils_only_itself(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    write(audit, line("sending"))
    with audit.path.open("a") as file:
        file.write('{"half": ')
    write(audit, line("applied"))
    trail = audit.read()
    assert [r["outcome"] for r in trail.records] == ["sending", "applied"]
    assert trail.broken == ("line 2 is not a JSON object",)


def test_one_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = Audit(tmp_path / "file" / "state")
    assert "Not a directory" in blocked.problem()
    with pytest.raises(AuditError), blocked.book():
        pass
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "file")
    assert Audit(tmp_path).problem()
    assert Audit(tmp_path / "new").problem() == ""


def test_a_full_disk_is_an_error_of_the_append() -> None:
    with open("/dev/full", "r+b", buffering=0) as file:  # noqa: PTH123
        book = auditing.Book(file, b"")
        with pytest.raises(OSError, match="No space"):
            book.append(line("sending"))


def test_one_held_by_a_stopped_process_does_not_hang_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "LOCK_TRIES", 2)
    audit = Audit(tmp_path)
    with audit.book():
        assert "held by another process" in audit.problem()
    assert audit.problem() == ""


def _append(path: Path, name: str) -> None:
    for i in range(20):
        write(Audit(path), line("sending", execution_id=f"{name}{i}"))


def test_two_processes_keep_one_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append, args=(tmp_path, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    trail = Audit(tmp_path).read()
    assert len(trail.records) == 40
    assert trail.broken == ()


def test_only_the_recent_part_is_looked_back_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "RECENT_BYTES", 2000)
    audit = Audit(tmp_path)
    write(audit, *(line("sending", execution_id=f"e{i}") for i in range(20)))
    with audit.book() as book:
        assert 1 <= len(book.records) < 20
        assert book.records[-1]["execution_id"] == "e19"
    assert audit.read().broken == ()


class TestAttempts:
    def test_a_life(self) -> None:
        (one,) = attempts([line("sending"), line("applied"), line("applied", grade="worse")])
        assert (one.outcome, one.grade, one.unix, one.graded_by_unix) == (
            Outcome.APPLIED,
            Grade.WORSE,
            100.0,
            220.0,
        )

    def test_one_that_died_while_sending_counts_as_sent(self) -> None:
        (one,) = attempts([line("sending")])
        assert one.in_flight(150.0)
        assert not one.in_flight(220.0)

    @pytest.mark.parametrize("change", [{"mode": "dry_run"}, {"outcome": "refused"}])
    def test_what_was_never_sent_is_none(self, change: dict[str, object]) -> None:
        assert attempts([line("sending") | change]) == ()

    @pytest.mark.parametrize(
        "record",
        [
            {},
            {"mode": "live"},
            line("nonsense"),
            line("sending", requested_unix=None),
            line("sending", verify_at_unix="x"),
        ],
    )
    def test_a_record_of_another_shape_is_passed_over(self, record: dict[str, object]) -> None:
        assert attempts([record]) == ()
        assert json.dumps(record)
