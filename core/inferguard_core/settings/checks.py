"""What a value of a setting must be, besides a number in its range.

Each takes a value and gives it back, or raises ValueError with the words for the person who wrote it. `Before` and
`After` put them into an annotation, where pydantic finds them; this module does not load it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from inferguard_core.secret import SecretStr

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Before:
    """`check` on what a person wrote, before it is read as the type of its field."""

    check: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: object, handler: Any) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self.check, handler(source))


@dataclass(frozen=True, slots=True)
class After:
    """`check` on a value of the field's type."""

    check: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: object, handler: Any) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self.check, handler(source))


def xdg_dir(variable: str, fallback: str) -> Path:
    """Our directory under an XDG base directory; a relative one is ignored, as the specification says."""
    base = Path(os.environ.get(variable, ""))
    return (base if base.is_absolute() else expanded(Path("~", fallback))) / "inferguard"


def expanded(path: Path) -> Path:
    """`path` with a leading `~` replaced, where this user has a home directory."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 -- unlike Path's own it never raises


def split(value: object) -> object:
    if isinstance(value, str):
        value = value.split(",")
    if isinstance(value, list | tuple):
        stripped = (part.strip() if isinstance(part, str) else part for part in value)
        return tuple(part for part in stripped if part != "")
    return value


def header_text(text: str) -> str:
    if not (text.isascii() and text.isprintable() and text.strip() == text):
        raise ValueError("has a blank at an end or a character that cannot stand in a header")
    return text


def in_header(secret: SecretStr) -> SecretStr:
    header_text(secret.get_secret_value())
    return secret


Key = Annotated[SecretStr, After(in_header)]
"""A secret that travels in a header."""


def without_colon(user: str) -> str:
    if ":" in user:
        raise ValueError("a user name of basic authentication has no colon")
    return user


def http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http(s) URL")
    return url


def http_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(http_url(url) for url in urls)


def http_secret(url: SecretStr) -> SecretStr:
    http_url(url.get_secret_value())
    return url


def existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("no such file")
    return path
