"""Named random streams, so that one more draw in one part of the simulator moves no other part."""

from __future__ import annotations

import random


def stream(seed: int, name: str) -> random.Random:
    """A generator that depends only on `seed` and `name`, on every machine and Python."""
    return random.Random(f"{seed}/{name}")  # noqa: S311 - a simulation wants a seed, not a secret
