"""One row a setting: its table, its field, the variables that set it, what is allowed.

Made from the annotations, so a range or a default is stated once. Loading, messages and the reference
page all read these rows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import Interval

from inferguard_core.secret import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "INFERGUARD_"
COMMAND_LINE = "command line"
"""The origin of what was given as an option."""

SEED_VARIABLES: Mapping[str, str] = {
    "access.endpoints": "TARGET_ENDPOINT",
    "polling.interval_seconds": "POLL_INTERVAL_SECONDS",
    "limits.kv_alert_threshold": "KV_ALERT_THRESHOLD",
    "limits.ttft_alert_multiplier": "TTFT_ALERT_MULTIPLIER",
    "memory.state_dir": "INFERGUARD_STATE_DIR",
    "memory.redis_url": "UPSTASH_REDIS_URL",
    "memory.redis_token": "UPSTASH_REDIS_TOKEN",
    "memory.vector_url": "UPSTASH_VECTOR_URL",
    "memory.vector_token": "UPSTASH_VECTOR_TOKEN",
    "brain.proactive_cycle_every": "INFERGUARD_PROACTIVE_CYCLE_EVERY",
    "brain.gmi_api_key": "GMI_API_KEY",
    "brain.gmi_base_url": "GMI_BASE_URL",
    "brain.gmi_model": "GMI_MODEL",
    "brain.bl_api_key": "BL_API_KEY",
    "brain.daytona_api_key": "DAYTONA_API_KEY",
}
"""Names that existed before the prefix did, or that differ from table and field, and stay as they are."""
NAMED_BY_TABLE = frozenset({"memory", "brain", "actuation", "replay", "serve", "watch"})
"""Tables whose variables are `INFERGUARD_`, the table and the field."""


@dataclass(frozen=True, slots=True)
class Setting:
    table: str
    field: str
    variables: tuple[str, ...]
    """Environment names; of two that are set the later in this tuple wins."""
    allowed: str
    secret: bool

    @property
    def key(self) -> str:
        """`table.field`: the name in TOML, on the command line and in `Settings.origin`."""
        return f"{self.table}.{self.field}"


@dataclass(frozen=True, slots=True)
class Given:
    """A value that someone set."""

    setting: Setting
    name: str
    """The name as it was spelled where it was set."""
    value: object
    origin: str


def catalogue(tables: Mapping[str, type]) -> dict[str, Setting]:
    """Every setting of `tables` (table name to dataclass) by its key."""
    rows = (_row(table, field, hint) for table, model in tables.items() for field, hint in _fields(model))
    return {row.key: row for row in rows}


def secrets_of(tables: Mapping[str, type], settings: object) -> tuple[str, ...]:
    """Every secret that is set, in clear, for whoever has to keep them out of a text."""
    found = (
        getattr(getattr(settings, row.table), row.field) for row in catalogue(tables).values() if row.secret
    )
    return tuple(secret.get_secret_value() for secret in found if secret is not None)


def _fields(model: type) -> Iterator[tuple[str, object]]:
    hints = get_type_hints(model, include_extras=True)
    return ((field.name, hints[field.name]) for field in fields(model))


def _row(table: str, field: str, hint: object) -> Setting:
    parts = tuple(_parts(hint))
    joint = {"limits": "__"}.get(table, "_" if table in NAMED_BY_TABLE else None)
    own = f"{PREFIX}{field}" if joint is None else f"{PREFIX}{table}{joint}{field}"
    seed = SEED_VARIABLES.get(f"{table}.{field}")
    if seed is None:
        variables: tuple[str, ...] = (own.upper(),)
    else:
        variables = (seed, own.upper()) if table == "limits" else (seed,)
    return Setting(table, field, variables, _allowed(parts), SecretStr in parts)


def _parts(hint: Any) -> Iterator[Any]:
    """`hint` taken apart: types, literal values and the metadata of `Annotated`, at any depth."""
    yield hint
    for part in (*get_args(hint), *getattr(hint, "__metadata__", ())):
        yield from _parts(part)


def _allowed(parts: tuple[Any, ...]) -> str:
    for part in parts:
        if isinstance(part, Interval):
            low, end = (part.ge, "from") if part.ge is not None else (part.gt, "above")
            return f"a number {end} {_number(low)} to {_number(part.le)}"
        if get_origin(part) is Literal:
            return ", ".join(get_args(part))
    for kind, words in _WORDS.items():
        if kind in parts:
            return words
    return "text"


_WORDS = {bool: "true or false", tuple[str, ...]: "one or more URLs", Path: "a path"}


def _number(bound: Any) -> str:
    return f"{bound:.10g}"
