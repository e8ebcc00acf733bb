"""What is wrong with the settings, in words for the person who wrote them.

No message carries the value of a secret or the user part of a URL, and none is a traceback.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

    from inferguard_core.settings.catalogue import Given, Setting

_USERINFO = re.compile(r"//\S*@")


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """Why there are no settings."""

    messages: tuple[str, ...]
    """One line each: the setting as it was spelled, its value, its source and what is allowed."""


def unknown_name(name: str, key: str, origin: str, rows: Mapping[str, Setting]) -> str:
    """`name`, which reads as `key`, exists nowhere; the settings whose field is spelled most like it."""
    fields = {setting.field: setting.key for setting in rows.values()}
    tables = {setting.table: f"[{setting.table}]" for setting in rows.values()}
    wanted = key.lower().rpartition(".")[2]
    candidates = fields if "." in key else fields | tables
    keys = [candidates[near] for near in get_close_matches(wanted, candidates, n=3, cutoff=0.7)]
    hint = f"; near it: {', '.join(keys)}" if keys else "; docs/settings.md lists all"
    return f"{printable(name)} ({origin}): no such setting{hint}"


def refused(errors: Sequence[ErrorDetails], given: Mapping[str, Given]) -> SettingsProblem:
    """The validator's errors as lines, one a setting."""
    lines = (_line(error, given) for error in errors)
    return SettingsProblem(tuple(dict.fromkeys(lines)))


def _line(error: ErrorDetails, given: Mapping[str, Given]) -> str:
    key = ".".join(str(part) for part in error["loc"][:2])
    reason = error["msg"].removeprefix("Value error, ")
    one = given.get(key)
    if one is None:  # a rule over several settings of one table
        named = (
            other for at, other in given.items() if at.startswith(f"{key}.") and other.setting.field in reason
        )
        return f"{', '.join(f'{other.name} ({other.origin})' for other in named)}: {reason}"
    if error["type"] != "value_error":
        reason = f"allowed is {one.setting.allowed}"
    return f"{one.name} = {shown(one)} ({one.origin}): {reason}"


def shown(given: Given) -> str:
    """The value as a message may carry it."""
    if given.setting.secret:
        return "***"
    return printable(mask_userinfo(str(given.value)), 80) or "(empty)"


def mask_userinfo(text: str) -> str:
    """`text` without the user part of the URLs in it. All before the last @ goes: a password may hold one."""
    return _USERINFO.sub("//***@", text)
