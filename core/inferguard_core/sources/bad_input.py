"""What a person gave and we cannot use, as a value. The command line prints the line and exits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadInput:
    """An argument, setting or file that cannot be used."""

    message: str
    """One line without secrets: the thing, its value, and what is allowed or what to do."""

    def __str__(self) -> str:
        return self.message
