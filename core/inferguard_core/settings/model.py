"""The settings themselves: one class a concern, a table of the same name in TOML, joined in `Settings`.

They hold checked values and nothing that acts on them. `Settings()` reads nothing but its arguments; `load`
reads the environment and the files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_types import Interval
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from inferguard_core.detect.limits import Limits
from inferguard_core.sources.access import DEADLINE_S, MAX_BODY_BYTES


def xdg_dir(variable: str, fallback: str) -> Path:
    """Our directory under an XDG base directory; a relative one is ignored, as the specification says."""
    base = Path(os.environ.get(variable, ""))
    return (base if base.is_absolute() else expanded(Path("~", fallback))) / "inferguard"


def expanded(path: Path) -> Path:
    """`path` with a leading `~` replaced, where this user has a home directory."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 -- unlike Path's own it never raises


def _split(value: object) -> object:
    if isinstance(value, str):
        value = value.split(",")
    if isinstance(value, list | tuple):
        stripped = (part.strip() if isinstance(part, str) else part for part in value)
        return tuple(part for part in stripped if part != "")
    return value


def _in_header(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable() and text.strip() == text):
        raise ValueError("has a blank at an end or a character that cannot stand in a header")
    return secret


def _without_colon(user: str) -> str:
    if ":" in user:
        raise ValueError("a user name of basic authentication has no colon")
    return user


def _existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("no such file")
    return path


class _Concern(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Access(_Concern):
    """Which engines, and how a request to them is made."""

    endpoints: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    """What to monitor when the command line names nothing, as a comma list. Unset: what is found here."""
    bearer_token: Annotated[SecretStr, AfterValidator(_in_header)] | None = None
    """Sent as `Authorization: Bearer …` to every endpoint."""
    basic_user: Annotated[str, AfterValidator(_without_colon)] | None = None
    """User name of basic authentication; not together with a bearer token."""
    basic_password: SecretStr | None = None
    """Password of basic authentication."""
    ca_file: Annotated[Path, AfterValidator(expanded), AfterValidator(_existing_file)] | None = None
    """PEM file of the authorities to trust in place of the system's."""
    insecure: bool = False
    """Accept any certificate."""
    deadline_seconds: Annotated[float, Interval(ge=0.1, le=120.0)] = DEADLINE_S
    """Total time of one poll, from the connection to the last byte."""
    body_cap_mib: Annotated[float, Interval(ge=0.1, le=256.0)] = MAX_BODY_BYTES / 2**20
    """A decoded page larger than this many MiB is refused."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Access:
        if self.bearer_token is not None and self.basic_user is not None:
            raise ValueError("bearer_token and basic_user are both set; an endpoint takes one of them")
        if (self.basic_user is None) != (self.basic_password is None):
            raise ValueError("basic_user and basic_password go together; one of them is not set")
        return self


class Polling(_Concern):
    """How often engines are asked."""

    interval_seconds: Annotated[float, Interval(ge=0.1, le=3600.0)] | None = None
    """Seconds from one poll to the next. Unset: 2 on the screen, 30 in `watch`."""


class Memory(_Concern):
    """What is remembered, and where."""

    state_dir: Annotated[Path, AfterValidator(expanded)] = Field(
        default_factory=lambda: xdg_dir("XDG_STATE_HOME", ".local/state")
    )
    """Directory of what outlives a run; made when it is missing."""


class Ui(_Concern):
    """How the screen looks."""

    theme: str | None = None
    """Name of a theme. Unset: the terminal UI's own."""


class Settings(BaseSettings):
    """Everything that can be set, checked."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True, case_sensitive=False
    )

    tables: ClassVar[dict[str, type]] = {
        "access": Access,
        "polling": Polling,
        "limits": Limits,
        "memory": Memory,
        "ui": Ui,
    }

    access: Access = Access()
    polling: Polling = Polling()
    limits: Limits = Limits()
    memory: Memory = Field(default_factory=Memory)
    ui: Ui = Ui()
    origins: dict[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    """Where each value that is not a default was set, by key."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed: `load` reads the sources itself, to know which of them a value came from."""
        return (init_settings,)

    def origin(self, key: str) -> str:
        """`environment`, `.env`, a file's path, `command line` or `default`, for a key such as `ui.theme`."""
        return self.origins.get(key, "default")
