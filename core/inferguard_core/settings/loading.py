"""Reads the four places a setting can stand in and joins them; later ones win.

Environment, `.env` in the working directory, a TOML file, the command line. A later place replaces the
value of one setting, never a whole table. This is the only module of the settings that loads pydantic.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict

from inferguard_core.settings.catalogue import COMMAND_LINE, Given, Setting, catalogue
from inferguard_core.settings.checks import expanded, xdg_dir
from inferguard_core.settings.model import Settings
from inferguard_core.settings.problem import SettingsProblem, refused, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENVIRONMENT = "environment"
DOTENV = ".env"
CONFIG_VARIABLE = "INFERGUARD_CONFIG"

KEYS = "keys"
"""The table of the screen's keys, whose names are not known here."""

_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_LIMITS_PREFIX = "inferguard_limits__"


class _Variables(BaseSettings):
    """How variables are read: without regard to case; an empty one is unset. `catalogue` knows their names."""

    model_config = SettingsConfigDict(env_ignore_empty=True, case_sensitive=False)


class _UnreadableError(Exception):
    """A source as a whole cannot be read; its text is the line to show."""


def load(
    overrides: Mapping[str, object] = MappingProxyType({}), config: Path | None = None
) -> Settings | SettingsProblem:
    """The settings in force here, or what is wrong with them.

    Args:
        overrides: Values of the command line by key (`polling.interval_seconds`); None means not given.
        config: A TOML file that must exist. Without it: `INFERGUARD_CONFIG`, which must exist too, else
            `inferguard/config.toml` under the XDG configuration directory, which need not.
    """
    rows = catalogue(Settings.tables)
    given: dict[str, Given] = {}
    problems: list[str] = []
    for one in _everything(rows, overrides, config):
        if isinstance(one, str):
            problems.append(one)
        else:
            given[one.setting.key] = one
    checked = _checked(given)
    if not problems:
        return checked
    # What was understood is checked too, so that a person mends all of it at once.
    more = checked.messages if isinstance(checked, SettingsProblem) else ()
    return SettingsProblem((*problems, *more))


def _checked(given: Mapping[str, Given]) -> Settings | SettingsProblem:
    tables: dict[str, Any] = {"origins": {key: one.origin for key, one in given.items()}}
    for one in given.values():
        tables.setdefault(one.setting.table, {})[one.setting.field] = one.value
    try:
        return TypeAdapter(Settings).validate_python(tables)
    except ValidationError as error:
        return refused(error.errors(include_url=False, include_input=False), given)


def _everything(
    rows: Mapping[str, Setting], overrides: Mapping[str, object], config: Path | None
) -> Iterator[Given | str]:
    """What every place says, weakest first; a string is a problem."""
    environment = EnvSettingsSource(_Variables).env_vars
    dotenv: Mapping[str, str | None] = {}
    try:
        dotenv = _dotenv()
    except _UnreadableError as unreadable:
        yield str(unreadable)
    yield from _variables(rows, environment, ENVIRONMENT)
    yield from _variables(rows, dotenv, DOTENV)
    named = dotenv.get(CONFIG_VARIABLE.lower()) or environment.get(CONFIG_VARIABLE.lower())
    try:
        yield from _file(rows, config, named)
    except _UnreadableError as unreadable:
        yield str(unreadable)
    for key, value in overrides.items():
        if value is not None:
            yield Given(rows[key], key, value, COMMAND_LINE)


def _dotenv() -> Mapping[str, str | None]:
    try:
        return DotEnvSettingsSource(_Variables, env_file=DOTENV).env_vars
    except OSError as error:
        raise _UnreadableError(f"{DOTENV}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _UnreadableError(f"{DOTENV}: not UTF-8 text") from None


def _variables(
    rows: Mapping[str, Setting], found: Mapping[str, str | None], origin: str
) -> Iterator[Given | str]:
    """Names in `found` are lower case: variables are read without regard to case."""
    limits = {name for name in found if name.startswith(_LIMITS_PREFIX)}
    for setting in rows.values():
        for name in setting.variables:
            limits.discard(name.lower())
            value = found.get(name.lower())
            if value is not None:
                yield Given(setting, name, value, origin)
    for name in sorted(limits):
        key = f"limits.{name.removeprefix(_LIMITS_PREFIX)}"
        yield unknown_name(name.upper(), key, origin, rows)


def _file(rows: Mapping[str, Setting], config: Path | None, variable: str | None) -> Iterator[Given | str]:
    named = config or (Path(variable) if variable else None)
    path = expanded(named or xdg_dir("XDG_CONFIG_HOME", ".config") / "config.toml")
    for table, content in _toml(path, required=named is not None).items():
        if table == KEYS:
            yield from _keys(content, str(path))
        elif table not in Settings.tables:
            yield unknown_name(table, table, str(path), rows)
        elif not isinstance(content, dict):
            yield f"{table} ({path}): is not a table; write [{table}] and its settings below it"
        else:
            for field, value in content.items():
                key = f"{table}.{field}"
                known = rows.get(key)
                yield (
                    Given(known, key, value, str(path)) if known else unknown_name(key, key, str(path), rows)
                )


def _keys(content: object, origin: str) -> Iterator[Given | str]:
    """The table of keys. An id has a dot, which TOML reads as a table in a table unless it is quoted."""
    if not isinstance(content, dict):
        yield f"{KEYS} ({origin}): is not a table; write [{KEYS}] and lines such as app.pause = 'f6' below it"
        return
    for name, value in content.items():
        for inner, keys in value.items() if isinstance(value, dict) else (("", value),):
            key = f"{name}.{inner}" if inner else name
            setting = Setting(KEYS, key, (), "keys in quotes, joined by commas", secret=False)
            yield Given(setting, setting.key, keys, origin)


def _toml(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError) and not required:
            return {}
        raise _UnreadableError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _UnreadableError(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        at = _AT_LINE.search(text)
        line = f"line {at[1]}" if at and at[1] else "at its end"
        raise _UnreadableError(f"{path}: {line}: not TOML: {_AT_LINE.sub('', text)}") from None
