"""What a person reads when a setting is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.settings import Settings, SettingsProblem
from inferguard_core.settings.catalogue import catalogue
from inferguard_core.settings.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def messages(overrides: Mapping[str, object] | None = None, config: Path | None = None) -> tuple[str, ...]:
    problem = load(overrides or {}, config)
    assert isinstance(problem, SettingsProblem), problem
    return problem.messages


def message_of(here: Path, toml: str) -> str:
    """The only message for a configuration file with this text, without the file's directory."""
    path = here / "c.toml"
    path.write_text(toml, "utf-8")
    (message,) = messages(config=path)
    return message.replace(f"{here}/", "")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        (
            "KV_ALERT_THRESHOLD",
            "1.5",
            "KV_ALERT_THRESHOLD = 1.5 (environment): allowed is a number from 0 to 1",
        ),
        (
            "KV_ALERT_THRESHOLD",
            "nan",
            "KV_ALERT_THRESHOLD = nan (environment): allowed is a number from 0 to 1",
        ),
        (
            "POLL_INTERVAL_SECONDS",
            "fast",
            "POLL_INTERVAL_SECONDS = fast (environment): allowed is a number from 0.1 to 3600",
        ),
        (
            "INFERGUARD_LIMITS__KV_HIGH_FOR",
            "0",
            "INFERGUARD_LIMITS__KV_HIGH_FOR = 0 (environment): allowed is a number above 0 to 86400",
        ),
        (
            "INFERGUARD_INSECURE",
            "maybe",
            "INFERGUARD_INSECURE = maybe (environment): allowed is true or false",
        ),
        (
            "INFERGUARD_CA_FILE",
            "/no/such.pem",
            "INFERGUARD_CA_FILE = /no/such.pem (environment): no such file",
        ),
        (
            "INFERGUARD_LIMITS__KV_HIHG_FOR",
            "3",
            "INFERGUARD_LIMITS__KV_HIHG_FOR (environment): no such setting; near it: limits.kv_high_for",
        ),
    ],
)
def test_a_bad_variable_is_named_with_value_source_and_range(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert messages()[0].startswith(expected)


def test_the_source_is_the_place_that_won(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLL_INTERVAL_SECONDS", "5")
    (here / ".env").write_text("POLL_INTERVAL_SECONDS=-1\n")
    assert messages() == ("POLL_INTERVAL_SECONDS = -1 (.env): allowed is a number from 0.1 to 3600",)


def test_an_override_is_named_by_its_key() -> None:
    expected = "polling.interval_seconds = 0 (command line): allowed is a number from 0.1 to 3600"
    assert messages({"polling.interval_seconds": 0}) == (expected,)


def test_every_bad_value_gets_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "2")
    monkeypatch.setenv("TTFT_ALERT_MULTIPLIER", "0")
    assert [line.partition(" ")[0] for line in messages()] == ["KV_ALERT_THRESHOLD", "TTFT_ALERT_MULTIPLIER"]


def test_names_and_values_that_are_wrong_are_told_together(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "c.toml").write_text("[ui]\nthem = 1\n[limits]\nqueue_for = -1\n[no]\n", "utf-8")
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "2")
    assert [line.partition(" ")[0] for line in messages(config=here / "c.toml")] == [
        "ui.them",
        "no",
        "KV_ALERT_THRESHOLD",
        "limits.queue_for",
    ]


def test_places_that_cannot_be_read_do_not_hide_what_others_say(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / ".env").write_bytes(b"\xff\xfe")
    (here / "c.toml").write_text("[ui", "utf-8")
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "2")
    told = messages({"polling.interval_seconds": 0}, here / "c.toml")
    assert [line.split(":")[0].partition(" ")[0] for line in told] == [
        ".env",
        f"{here}/c.toml",
        "polling.interval_seconds",
        "KV_ALERT_THRESHOLD",
    ]


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("[ui]\ntheme = = 1\n", "c.toml: line 2: not TOML: Invalid value"),
        ('[ui]\ntheme = "open', "c.toml: at its end: not TOML: Unterminated string"),
        ("[limit]\n", "limit (c.toml): no such setting; near it: [limits]"),
        (
            "kv_alert_treshold = 1\n",
            "kv_alert_treshold (c.toml): no such setting; near it: limits.kv_alert_threshold",
        ),
        ("[ui]\nthem = 1\n", "ui.them (c.toml): no such setting; near it: ui.theme"),
        ("[ui]\nzzz = 1\n", "ui.zzz (c.toml): no such setting; docs/settings.md lists all"),
        ("ui = 1\n", "ui (c.toml): is not a table; write [ui] and its settings below it"),
        (
            "[limits]\nqueue_for = -1\n",
            "limits.queue_for = -1 (c.toml): allowed is a number above 0 to 86400",
        ),
        ("[ui]\ntheme = 5\n", "ui.theme = 5 (c.toml): allowed is text"),
        ("[access]\nendpoints = [5]\n", "access.endpoints = [5] (c.toml): allowed is one or more URLs"),
    ],
)
def test_a_bad_file_is_named_with_the_line_or_the_setting(here: Path, toml: str, expected: str) -> None:
    assert message_of(here, toml).startswith(expected)


def test_a_named_file_must_exist(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = here / "no.toml"
    assert messages(config=missing) == (f"{missing}: No such file or directory",)
    monkeypatch.setenv("INFERGUARD_CONFIG", str(missing))
    assert messages() == (f"{missing}: No such file or directory",)


def test_a_directory_or_bytes_in_place_of_text_is_a_line(here: Path) -> None:
    assert messages(config=here) == (f"{here}: Is a directory",)
    (here / "c.toml").write_bytes(b"\xff\xfe")
    assert messages(config=here / "c.toml") == (f"{here}/c.toml: not UTF-8 text",)
    (here / ".env").write_bytes(b"\xff\xfe")
    assert messages() == (".env: not UTF-8 text",)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"INFERGUARD_BEARER_TOKEN": "hunter2", "INFERGUARD_BASIC_USER": "ann"},
            "INFERGUARD_BEARER_TOKEN (environment), INFERGUARD_BASIC_USER (environment): bearer_token and basic_user",
        ),
        (
            {"INFERGUARD_BASIC_PASSWORD": "hunter2"},
            "INFERGUARD_BASIC_PASSWORD (environment): basic_user and",
        ),
        (
            {"INFERGUARD_BEARER_TOKEN": "hunter2\n"},
            "INFERGUARD_BEARER_TOKEN = *** (environment): has a blank",
        ),
        ({"INFERGUARD_BASIC_USER": "ann"}, "INFERGUARD_BASIC_USER (environment): basic_user and"),
        ({"INFERGUARD_BASIC_USER": "a:b"}, "INFERGUARD_BASIC_USER = a:b (environment): a user name"),
    ],
)
def test_credentials_that_cannot_be_sent_are_refused_without_showing_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (message,) = messages()
    assert message.startswith(expected)
    assert "hunter2" not in message


def test_credentials_in_a_url_of_the_wrong_shape_are_not_shown(here: Path) -> None:
    message = message_of(here, '[access]\nendpoints = {url = "http://ann:hunter2@h:1"}\n')
    assert message.startswith("access.endpoints = {'url': 'http://***@h:1'}")


_VARIABLES = sorted({name for row in catalogue(Settings.tables).values() for name in row.variables})


@given(
    name=st.sampled_from(_VARIABLES),
    value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200),
)
def test_any_text_in_any_variable_is_settings_or_lines(name: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        got = load()
    if isinstance(got, SettingsProblem):
        assert all(line.splitlines() == [line] and "\x1b" not in line for line in got.messages)


@given(
    value=st.sampled_from([True, 1, -1.5, float("inf"), "x", [], {}, [[]], {"a": {}}]),
    key=st.sampled_from(sorted(catalogue(Settings.tables))),
)
def test_a_value_of_any_type_is_settings_or_lines(key: str, value: object) -> None:
    got = load({key: value})
    if isinstance(got, SettingsProblem):
        assert all(key in line and line.isprintable() for line in got.messages)
