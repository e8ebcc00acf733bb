"""Records to JSON and back, by their own type hints: one rule for every record, so that none can be forgotten.

A missing field takes its default and an unknown one is left out, so that an older or newer store reads. What
does not fit its type is a ValueError that names the place.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum, IntEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from inferguard_core import followup, frame, poll, reading, verdict
from inferguard_core.memory import case, shape

T = TypeVar("T")
_NAMES: dict[str, Any] = {"Mapping": Mapping, "Sequence": Sequence}
for _module in (reading, poll, verdict, followup, frame, shape, case):
    _NAMES |= {name: value for name, value in vars(_module).items() if isinstance(value, type)}


class _Slot(NamedTuple):
    """One field of a record."""

    name: str
    hint: Any
    optional: bool


def encode(value: Any) -> Any:
    """`value` as what `json.dumps` takes. An IntEnum goes by its name, a number without meaning outside."""
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(encode(key)): encode(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [encode(one) for one in value]
    return value


def decode(kind: type[T], data: Any) -> T:
    """The `kind` that `encode` made `data` of. Raises ValueError where it is something else."""
    decoded: T = _decode(kind, data, kind.__name__)
    return decoded


def _decode(hint: Any, data: Any, at: str) -> Any:
    if hint is Any or hint is object:
        return data
    origin = get_origin(hint)
    if origin is not None:
        return _GENERIC[origin](get_args(hint), data, at)
    for kind, one in _BY_KIND:
        if issubclass(hint, kind):
            return one(hint, data, at)
    return (_record if is_dataclass(hint) else _plain)(hint, data, at)


def _one_of(hints: tuple[Any, ...], data: Any, at: str) -> Any:
    if data is None and type(None) in hints:
        return None
    known = [hint for hint in hints if hint is not type(None)]
    for hint in known[:-1]:
        with suppress(ValueError):
            return _decode(hint, data, at)
    return _decode(known[-1], data, at)


def _sequence(hints: tuple[Any, ...], data: Any, at: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise _misfit("a list", data, at)
    return tuple(_decode(hints[0], one, f"{at}[{index}]") for index, one in enumerate(data))


def _mapping(hints: tuple[Any, ...], data: Any, at: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _misfit("an object", data, at)
    return {key: _decode(hints[1], one, f"{at}.{key}") for key, one in data.items()}


def _member(hint: type[Enum], data: Any, at: str) -> Enum:
    try:
        return hint[data] if issubclass(hint, IntEnum) else hint(data)
    except (KeyError, ValueError, TypeError):
        raise _misfit(hint.__name__, data, at) from None


def _record(hint: type, data: Any, at: str) -> Any:
    if not isinstance(data, dict):
        raise _misfit(hint.__name__, data, at)
    given: dict[str, Any] = {}
    for slot in _slots(hint):
        if slot.name in data:
            given[slot.name] = _decode(slot.hint, data[slot.name], f"{at}.{slot.name}")
        elif not slot.optional:
            raise ValueError(f"{at}: {slot.name} is missing")
    return hint(**given)


def _named_tuple(hint: Any, data: Any, at: str) -> Any:
    """Values in the order of the fields; those at the end that have a default may be missing."""
    hints = list(_hints(hint).values())
    least = len(hints) - len(hint._field_defaults)
    if not isinstance(data, list) or not least <= len(data) <= len(hints):
        raise _misfit(hint.__name__, data, at)
    named = enumerate(zip(hints, data, strict=False))
    return hint(*(_decode(one, part, f"{at}[{i}]") for i, (one, part) in named))


def _plain(hint: Any, data: Any, at: str) -> Any:
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, hint) or (isinstance(data, bool) and hint is not bool):
        raise _misfit(hint.__name__, data, at)
    return data


_GENERIC = {
    Union: _one_of,
    types.UnionType: _one_of,
    tuple: _sequence,
    Sequence: _sequence,
    Mapping: _mapping,
}
_BY_KIND = ((Enum, _member), (tuple, _named_tuple))


def _misfit(wanted: str, data: Any, at: str) -> ValueError:
    return ValueError(f"{at}: {wanted} expected, not {str(data)[:40]!r}")


@cache
def _hints(hint: type) -> dict[str, Any]:
    return get_type_hints(hint, localns=_NAMES)


@cache
def _slots(hint: Any) -> tuple[_Slot, ...]:
    hints = _hints(hint)
    return tuple(_Slot(f.name, hints[f.name], _has_default(f)) for f in fields(hint))


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
