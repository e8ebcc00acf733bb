"""A count with its noun, which is plural but for one: `1 endpoint`, `0 endpoints`, `12 endpoints`."""

from __future__ import annotations


def counted(number: float, noun: str, plural: str = "") -> str:
    """`number` as a whole one, and `noun` in the form that goes with what is shown of it."""
    shown = f"{number:.0f}"
    return f"{shown} {noun if shown == '1' else plural or f'{noun}s'}"
