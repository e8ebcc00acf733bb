"""What a person says was wrong in a recording: the `*.labels.json` beside it. Optional; without it nothing is false."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from pathlib import Path

RECORDING = ".jsonl.gz"
LABELS = ".labels.json"


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of trouble, in the recording's own seconds."""

    onset: float
    end: float
    kinds: frozenset[str]
    """Kinds that are right in it, demanded ones and others that are true."""
    demanded: frozenset[str] = frozenset()
    """Those of them without which the episode is not found."""


def labels_path(recording: Path) -> Path:
    return recording.with_name(recording.name.removesuffix(RECORDING) + LABELS)


def read_labels(path: Path) -> tuple[Episode, ...] | BadInput | None:
    """The episodes; None where there is no such file."""
    try:
        entry = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        return BadInput(f"{path}: {printable(error.strerror or str(error))}")
    except (ValueError, RecursionError):
        return BadInput(f"{path}: not JSON")
    episodes = entry.get("episodes") if isinstance(entry, dict) else None
    if not isinstance(episodes, list):
        return BadInput(f"{path}: has no list of episodes")
    found = [_episode(one) for one in (*episodes, *_list(entry.get("harmless")))]
    if None in found:
        return BadInput(f"{path}: an episode lacks an onset, an end or its kinds")
    return tuple(one for one in found if one is not None)


def _episode(entry: Any) -> Episode | None:
    match entry:
        case {"onset": int() | float() as onset, "end": int() | float() as end}:
            if not (math.isfinite(onset) and math.isfinite(end) and onset <= end):
                return None
            groups = [g if isinstance(g, list) else [g] for g in _list(entry.get("kinds"))]
            named = [*groups, _list(entry.get("also"))]
            kinds = frozenset(k for group in named for k in group if isinstance(k, str))
            alone = frozenset(group[0] for group in groups if len(group) == 1)
            return Episode(float(onset), float(end), kinds, kinds & alone)
    return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
