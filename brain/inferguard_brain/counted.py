"""A count with its noun, which is plural but for one."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 call`, `0 calls`, `2 entries`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
