"""Engine versions, compared as the tables need it: release number and `.postN`; nothing else decides.

A development or release-candidate build counts as the release it leads to, since it already exports that
release's names. Text that holds no number is no version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

Version = tuple[int, int, int, int]
"""Major, minor, patch, post."""

OLDEST: Final[Version] = (0, 0, 0, 0)
_SHAPE: Final = re.compile(r"[v<=\s]*(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:.*?\.?post(\d+))?")


@lru_cache(maxsize=1024)
def parse_version(text: str | None) -> Version | None:
    """`0.5.1.post3` → (0, 5, 1, 3). None for text that does not begin with a number.

    `<=0.3.3` marks a name that is older than every version examined, so it reads as the oldest.
    """
    if not text:
        return None
    if text.startswith("<="):
        return OLDEST
    found = _SHAPE.match(text)
    if found is None:
        return None
    major, minor, patch, post = (int(part[:6]) if part else 0 for part in found.groups())
    return (major, minor, patch, post)


def previous_minor(version: Version) -> str:
    """The release before this one's minor release, as vLLM's flags spell it: 0.11.2 → `0.10`."""
    return f"{version[0]}.{max(version[1] - 1, 0)}"
