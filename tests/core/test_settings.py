"""Where a setting is read, which place wins, and what its value becomes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.settings import Settings, SettingsProblem
from inferguard_core.settings.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a `.env`, and configuration and state directories below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def write_config(here: Path, text: str) -> Path:
    path = here / "config" / "inferguard" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    return path


def loaded(overrides: Mapping[str, object] | None = None, config: Path | None = None) -> Settings:
    settings = load(overrides or {}, config)
    assert isinstance(settings, Settings), settings
    return settings


def test_nothing_set_gives_the_defaults(here: Path) -> None:
    settings = loaded()
    assert settings.access.endpoints == ()
    assert settings.access.insecure is False
    assert settings.polling.interval_seconds is None
    assert settings.limits == Limits()
    assert settings.memory.state_dir == here / "state" / "inferguard"
    assert settings.ui.theme is None


@pytest.mark.parametrize(
    ("variable", "value", "table", "field", "expected"),
    [
        ("KV_ALERT_THRESHOLD", "0.7", "limits", "kv_alert_threshold", 0.7),
        ("TTFT_ALERT_MULTIPLIER", "3", "limits", "ttft_alert_multiplier", 3.0),
        ("POLL_INTERVAL_SECONDS", "15", "polling", "interval_seconds", 15.0),
        ("INFERGUARD_LIMITS__KV_HIGH_FOR", "45", "limits", "kv_high_for", 45.0),
        ("INFERGUARD_INSECURE", "true", "access", "insecure", True),
        ("INFERGUARD_THEME", "paper", "ui", "theme", "paper"),
        ("TARGET_ENDPOINT", "http://a:8000", "access", "endpoints", ("http://a:8000",)),
    ],
)
def test_a_variable_sets_its_field(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, table: str, field: str, expected: object
) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(getattr(loaded(), table), field) == expected


def test_endpoints_are_a_comma_list_with_blanks_and_gaps_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_ENDPOINT", "http://a:8000, b:30000,,")
    assert loaded().access.endpoints == ("http://a:8000", "b:30000")


def test_endpoints_may_be_a_toml_list(here: Path) -> None:
    write_config(here, '[access]\nendpoints = ["http://a:8000", "b:30000"]\n')
    assert loaded().access.endpoints == ("http://a:8000", "b:30000")


@pytest.mark.parametrize(
    ("places", "winner", "origin"),
    [
        (0, None, "default"),
        (1, 11.0, "environment"),
        (2, 12.0, ".env"),
        (3, 13.0, "{config}"),
        (4, 14.0, "command line"),
    ],
)
def test_a_later_place_wins_and_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, places: int, winner: float | None, origin: str
) -> None:
    path = here / "config" / "inferguard" / "config.toml"
    if places >= 1:
        monkeypatch.setenv("POLL_INTERVAL_SECONDS", "11")
    if places >= 2:
        (here / ".env").write_text("POLL_INTERVAL_SECONDS=12\n")
    if places >= 3:
        write_config(here, "[polling]\ninterval_seconds = 13\n")
    settings = loaded({"polling.interval_seconds": 14} if places >= 4 else {})
    assert settings.polling.interval_seconds == winner
    assert settings.origin("polling.interval_seconds") == origin.format(config=path)


def test_a_later_place_replaces_one_field_not_the_table(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERGUARD_LIMITS__KV_HIGH_FOR", "41")
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "0.6")
    write_config(here, "[limits]\nkv_high_for = 42\nqueue_for = 43\n")
    expected = dataclasses.replace(Limits(), kv_alert_threshold=0.6, kv_high_for=42.0, queue_for=43.0)
    assert loaded().limits == expected


def test_the_prefixed_name_of_a_limit_wins_over_its_older_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERGUARD_LIMITS__KV_ALERT_THRESHOLD", "0.5")
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "0.6")
    assert loaded().limits.kv_alert_threshold == 0.5


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "")
    assert loaded().origin("limits.kv_alert_threshold") == "default"


def test_an_override_of_none_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERGUARD_THEME", "paper")
    assert loaded({"ui.theme": None}).ui.theme == "paper"


def test_foreign_names_in_dotenv_and_reserved_variables_are_left_alone(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFERGUARD_BRAIN_MODE", "local")
    (here / ".env").write_text("DATABASE_URL=postgres://x\nPOLL_INTERVAL_SECONDS=5\n")
    assert loaded().polling.interval_seconds == 5.0


def test_a_named_file_takes_the_place_of_the_usual_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(here, '[ui]\ntheme = "usual"\n')
    other, third = here / "other.toml", here / "third.toml"
    other.write_text('[ui]\ntheme = "variable"\n')
    third.write_text('[ui]\ntheme = "argument"\n')
    assert loaded().ui.theme == "usual"
    monkeypatch.setenv("INFERGUARD_CONFIG", str(other))
    assert loaded().ui.theme == "variable"
    assert loaded(config=third).ui.theme == "argument"


def test_a_relative_xdg_directory_is_ignored(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert loaded().memory.state_dir == here / ".local" / "state" / "inferguard"


def test_a_tilde_means_the_home_directory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("INFERGUARD_STATE_DIR", "~/s")
    assert loaded().memory.state_dir == here / "s"


def test_a_secret_is_not_in_the_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERGUARD_BEARER_TOKEN", "hunter2")
    settings = loaded()
    token = settings.access.bearer_token
    assert token is not None
    assert token.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings} {dataclasses.asdict(settings)}"


def test_settings_built_directly_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "nonsense")
    assert isinstance(load(), SettingsProblem)
    assert Settings().limits == Limits()


@pytest.mark.parametrize("text", ['[keys]\napp.pause = "P"', '[keys]\n"app.pause" = "P"'])
def test_keys_of_the_screen_stand_in_their_own_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    settings = load(config=path)
    assert isinstance(settings, Settings)
    assert settings.keys == {"app.pause": "P"}
    assert settings.origin("keys.app.pause") == str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[keys]\napp.pause = 7", "keys.app.pause = 7"),
        ("keys = 7", "is not a table; write [keys]"),
    ],
)
def test_keys_that_are_no_text_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    problem = load(config=path)
    assert isinstance(problem, SettingsProblem)
    assert words in problem.messages[0]
