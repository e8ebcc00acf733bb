"""`inferguard doctor`: each check on something real that is in order, and on the same out of order."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.secret import SecretStr
from inferguard_core.settings import Settings
from inferguard_core.settings.model import Brain, Memory
from inferguard_tui.doctor import reach
from inferguard_tui.doctor.check import State
from inferguard_tui.doctor.endpoints import SKEW_S, clock
from inferguard_tui.doctor.local import state_directory, terminal
from inferguard_tui.doctor.reach import Place, places, reached
from inferguard_tui.simulator.launch import launched
from tests.e2e import hostile
from tests.e2e.test_commands import free_port, run

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "never-to-be-seen"
NOBODY = 65534


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    with launched("healthy", "vllm", 1, 1) as urls:
        yield urls[0]


def doctor(*arguments: str, tmp_path: Path, **variables: str) -> tuple[int, dict[str, Any]]:
    variables = {"INFERGUARD_STATE_DIR": str(tmp_path / "state"), **variables}
    done = run("doctor", "--json", *arguments, cwd=tmp_path, **variables)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def of(found: dict[str, Any], part: str) -> list[dict[str, Any]]:
    return [check for check in found["checks"] if check["part"] == part]


def test_in_order_is_exit_0_and_quick(healthy: str, tmp_path: Path) -> None:
    began = time.monotonic()
    code, found = doctor(healthy, tmp_path=tmp_path)
    assert time.monotonic() - began < 10
    assert (code, found["worst"], found["schema"]) == (0, "ok", "inferguard.doctor/1")
    (card,) = of(found, "endpoint")
    assert card["facts"]["engine"] == "vllm"
    assert card["facts"]["read"]["kv_usage"].startswith("vllm:kv_cache_usage_perc")
    assert card["facts"]["not_read"]["swapped"]["state"] == "absent"
    assert any(line.startswith("blind: swap") for line in card["more"])
    (told,) = of(found, "clock")
    assert abs(told["facts"]["skew_s"]) < 2
    assert {check["state"] for check in of(found, "cloud")} == {"off"}
    assert not (tmp_path / "state").exists()


def test_words_come_for_each_check(healthy: str, tmp_path: Path) -> None:
    done = run("doctor", healthy, cwd=tmp_path, INFERGUARD_STATE_DIR=str(tmp_path))
    assert done.returncode in (0, 1)
    for part in ("versions", "settings", "terminal", "state", "endpoint", "clock", "cloud"):
        assert f" {part} " in done.stdout


def test_an_endpoint_that_is_down_is_exit_3(tmp_path: Path) -> None:
    code, found = doctor(f"127.0.0.1:{free_port()}", tmp_path=tmp_path)
    assert (code, found["worst"]) == (3, "unknown")
    assert "refused the connection" in of(found, "endpoint")[0]["said"]
    assert of(found, "clock") == []


def test_secrets_are_set_or_unset_and_every_value_has_its_source(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[polling]\ninterval_seconds = 7\n", "utf-8")
    port = free_port()
    _, found = doctor(
        f"http://{SECRET}:{SECRET}@127.0.0.1:{port}",
        "--config",
        "c.toml",
        tmp_path=tmp_path,
        GMI_API_KEY=SECRET,
        GMI_BASE_URL=f"http://user:{SECRET}@127.0.0.1:{port}/v1",
        INFERGUARD_ACTUATION_ENDPOINT=f"http://127.0.0.1:{port}/hook?key={SECRET}",
    )
    (shown,) = of(found, "settings")
    given = shown["facts"]["given"]
    assert given["polling.interval_seconds"] == {"value": "7.0", "origin": "c.toml", "secret": False}
    assert given["brain.gmi_api_key"] == {"value": None, "origin": "environment", "secret": True}
    assert shown["facts"]["secrets"]["brain.gmi_api_key"] == "set"
    assert shown["facts"]["secrets"]["memory.redis_token"] == "unset"


def test_settings_that_cannot_be_used_do_not_hide_the_rest(healthy: str, tmp_path: Path) -> None:
    code, found = doctor(healthy, tmp_path=tmp_path, POLL_INTERVAL_SECONDS="soon")
    assert code == 3
    (broken,) = of(found, "settings")
    assert "POLL_INTERVAL_SECONDS" in broken["more"][0]
    assert of(found, "endpoint")[0]["state"] == "ok"


def test_what_broken_settings_would_have_said_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[memory\nstate_dir = 'elsewhere'\n", "utf-8")
    code, found = doctor("--config", "c.toml", tmp_path=tmp_path)
    assert code == 3
    for part in ("state", "endpoint", "cloud"):
        (check,) = of(found, part)
        assert check["state"] == "unknown"
        assert "the settings that say so cannot be used" in check["said"]
    assert str(tmp_path / "state") not in json.dumps(found)


@contextmanager
def as_nobody_if_root(directory: Path) -> Iterator[Path]:
    """A folder in `directory` of the user that this process is meanwhile."""
    own = directory / "own"
    own.mkdir(0o700)
    if os.geteuid() != 0:
        yield own
        own.chmod(0o700)
        return
    directory.chmod(0o755)
    os.chown(own, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield own
    finally:
        os.setresuid(0, 0, 0)


class TestStateDirectory:
    def look(self, path: Path, **more: Any):
        return state_directory(Settings(memory=Memory(state_dir=path, **more)))

    def test_in_order(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        kept = tmp_path / "state.db"
        kept.write_bytes(b"x" * 2**20)
        kept.chmod(0o600)
        found = self.look(tmp_path)
        assert (found.state, found.facts["mib"], found.facts["mode"]) == (State.OK, 1.0, "0700")

    @pytest.mark.parametrize("which", [".", "state.db"])
    def test_open_to_others_is_a_warning_that_says_how_to_close_it(self, tmp_path: Path, which: str) -> None:
        tmp_path.chmod(0o700)
        (tmp_path / "state.db").touch(mode=0o600)
        (tmp_path / which).chmod(0o755)
        found = self.look(tmp_path)
        assert found.state is State.WARNING
        assert found.more == (f"{which}: others can read or write it; chmod go= it",)

    def test_a_file_in_its_place_is_broken(self, tmp_path: Path) -> None:
        (tmp_path / "f").touch()
        assert self.look(tmp_path / "f").state is State.BROKEN
        assert self.look(tmp_path / "f" / "state").state is State.BROKEN

    def test_not_there_yet_is_fine_where_it_can_be_made(self, tmp_path: Path) -> None:
        assert self.look(tmp_path / "a" / "b").state is State.OK
        assert not (tmp_path / "a").exists()

    def test_not_writable_is_broken(self) -> None:
        # Not tmp_path: pytest keeps its folders from others, and root, who may write everywhere, looks as another.
        with TemporaryDirectory() as kept, as_nobody_if_root(Path(kept)) as own:
            assert self.look(own).state is not State.BROKEN
            own.chmod(0o500)
            assert self.look(own).state is State.BROKEN
            assert self.look(own / "state").state is State.BROKEN

    def test_off_is_off(self, tmp_path: Path) -> None:
        assert self.look(tmp_path, mode="off").state is State.OFF


def test_a_terminal_without_colour_and_utf8_is_said() -> None:
    found = terminal({"TERM": "vt100", "LANG": "C", "TMUX": "/tmp/x"})
    assert (found.facts["ascii_only"], found.facts["own_palette"]) == (True, True)
    assert found.said.isascii()
    assert "inside TMUX" in found.more
    assert terminal({"TERM": "xterm-256color", "LANG": "C.UTF-8"}).facts["ascii_only"] is False


@pytest.mark.parametrize(
    ("skew", "state", "said"),
    [
        (0.4, State.OK, "agrees to 1 s"),
        (-SKEW_S, State.OK, "agrees to 5 s"),
        (90.2, State.WARNING, "90 s ahead of"),
        (-3600.0, State.WARNING, "3600 s behind"),
        (None, State.OK, "does not say"),
    ],
)
def test_a_clock_that_is_off_is_a_warning(skew: float | None, state: State, said: str) -> None:
    found = clock("gpu-07:8000", skew)
    assert found.state is state
    assert said in found.said


class TestReach:
    async def test_what_listens_is_reached_and_asked_nothing(self) -> None:
        got: list[bytes] = []

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.append(await reader.read(100))

        async with hostile.listening(silent) as at:
            found = await reached(Place("webhook", f"http://{at}/hook", "X"))
            await asyncio.sleep(0.1)
        assert found.state is State.OK
        assert got == [b""]

    async def test_a_certificate_that_nobody_trusts_is_broken(self, tmp_path: Path) -> None:
        async with hostile.listening(hostile.good, tls=hostile.self_signed(tmp_path)) as at:
            found = await reached(Place("LLM", f"https://{at}/v1", "X"))
        assert found.state is State.BROKEN
        assert "self-signed" in found.said

    async def test_nobody_there_is_broken(self) -> None:
        found = await reached(Place("brain", f"http://127.0.0.1:{free_port()}", "X"))
        assert (found.state, "refused" in found.said.lower()) == (State.BROKEN, True)

    async def test_a_resolver_that_hangs_does_not_hold_the_report(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        over = threading.Event()

        def hanging(*_: object, **__: object) -> list[tuple[Any, ...]]:
            over.wait(30)
            raise socket.gaierror(-3, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", hanging)
        monkeypatch.setattr(reach, "DEADLINE_S", 0.3)
        began = time.monotonic()
        found = await reached(Place("LLM", "https://example.invalid", "X"))
        took = time.monotonic() - began
        over.set()
        assert found.state is State.BROKEN
        assert took < 15

    async def test_half_a_setting_is_broken(self) -> None:
        (brain,) = (p for p in places(Settings(brain=Brain(mode="remote"))) if p.name == "remote brain")
        found = await reached(brain)
        assert (found.state, "INFERGUARD_BRAIN_URL" in found.said) == (State.BROKEN, True)

    async def test_what_is_not_a_url_is_broken(self) -> None:
        for url in ("gmi", "ftp://x", "http://[::1", "http://:80"):
            assert (await reached(Place("LLM", url, "GMI_BASE_URL"))).state is State.BROKEN

    def test_a_key_makes_its_place(self) -> None:
        without = {p.name: p.url for p in places(Settings())}
        assert set(without.values()) == {None}
        keyed = {p.name: p.url for p in places(Settings(brain=Brain(gmi_api_key=SecretStr("k"))))}
        assert keyed["LLM"] == "https://api.gmi-serving.com/v1"
