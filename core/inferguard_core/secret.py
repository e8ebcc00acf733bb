"""A text that no log, message, representation or trace shows.

It has the name and the methods of pydantic's `SecretStr`, and is a type that pydantic validates: a monitor that
runs for days holds secrets, and would hold 12 MiB of pydantic for their sake. It hides from eyes, not from a
debugger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

_MASK: Final = "**********"


class SecretStr:
    """One secret; equal secrets are equal values."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get_secret_value(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._secret

    def __str__(self) -> str:
        return _MASK if self._secret else ""

    def __repr__(self) -> str:
        return f"SecretStr({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and other._secret == self._secret

    def __hash__(self) -> int:
        return hash(self._secret)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: Any) -> CoreSchema:
        """A text, or a secret already."""
        from pydantic_core import core_schema

        of_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.union_schema([core_schema.is_instance_schema(cls), of_text])
