"""What a crash report holds, and what it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_core.secret import SecretStr
from inferguard_core.settings import Settings
from inferguard_core.settings.catalogue import secrets_of
from inferguard_core.settings.model import Access, Actuation, Brain
from inferguard_tui import crash
from inferguard_tui.app import InferGuardApp
from tests.tui import frames
from tests.tui.harness import UNICODE, PushedFeed, settled

if TYPE_CHECKING:
    from pathlib import Path


def raised(text: str) -> Exception:
    hidden = "a-local-value"
    try:
        raise ValueError(f"{text}{hidden[:0]}")
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET http://me:pw@gpu:8000/metrics", "GET http://***@gpu:8000/metrics"),
        ("https://token@gpu/", "https://***@gpu/"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("api_key=abcdef, next", "api_key=***, next"),
        ("{'password': 'abcdef'}", "{'password': '***'}"),
        ("the hidden word is s3cret!", "the hidden word is ***!"),
        ("no token here", "no token ***"),
        ("http://gpu:8000/a@b", "http://gpu:8000/a@b"),
    ],
)
def test_secrets_are_taken_out(text: str, left: str) -> None:
    assert crash.redacted(text, ["s3cret"]) == left


def test_a_secret_that_is_part_of_another_leaves_nothing_of_it() -> None:
    assert crash.redacted("abc123", ["abc", "abc123"]) == "***"


def test_a_report_has_the_traceback_and_no_values() -> None:
    text = crash.report(raised("it \x1b[2J broke"), arguments=["inferguard", "http://me:pw@gpu"])
    assert "in raised" in text
    assert "ValueError: it" in text
    assert "\x1b" not in text
    assert "a-local-value" not in text.replace('hidden = "a-local-value"', "")
    assert "command: inferguard http://***@gpu" in text


def test_the_newest_reports_are_kept(tmp_path: Path) -> None:
    for number in range(15):
        (tmp_path / f"crash-20200101-0000{number:02}-1.txt").write_text("", "utf-8")
    path = crash.write(tmp_path, "x")
    assert len(list(tmp_path.iterdir())) == crash.KEPT
    assert path.read_text("utf-8") == "x"


def test_without_a_directory_the_report_goes_to_the_person(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    told = crash.tell(raised("no"), tmp_path / "file" / "state")
    assert told[0] == "a fault of this program: ValueError: no"
    assert told[1].startswith("the report could not be written (")
    assert any("in raised" in line for line in told)
    assert crash.tell(raised("no"), None)[1].startswith("the report could not be written (there is no state")


def test_every_secret_of_the_settings_is_known() -> None:
    settings = Settings(
        access=Access(bearer_token=SecretStr("one")),
        brain=Brain(gmi_api_key=SecretStr("two")),
        actuation=Actuation(secret=SecretStr("three")),
    )
    assert sorted(secrets_of(Settings.tables, settings)) == ["one", "three", "two"]


async def test_a_handler_that_fails_ends_the_application_and_is_kept(monkeypatch) -> None:
    def fail(_self: InferGuardApp) -> None:
        raise RuntimeError("here")

    monkeypatch.setattr(InferGuardApp, "action_pause", fail)
    app = InferGuardApp(PushedFeed(frames.frame(frames.endpoint())), terminal=UNICODE)
    with pytest.raises(RuntimeError, match="here"):  # noqa: PT012 - it ends with the pilot
        async with app.run_test() as pilot:
            await settled(pilot)
            await pilot.press("p")
    assert isinstance(app.crashed, RuntimeError)
    assert not app._exit_renderables
