"""Schema 0.2.0: a cell may keep its events in a file beside the export, checked by its SHA-256.

Only files below the export's own directory are read; a path that leads out of it is refused.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from inferguard_core.replay.node import Node, WrongShapeError

if TYPE_CHECKING:
    from pathlib import Path


class Prefixes:
    """The files of one export's `prefix_index`, each read once."""

    def __init__(self, directory: Path, root: Node) -> None:
        self._directory = directory
        self._index = root.get("prefix_index")
        self._events: dict[str, Node] = {}

    def events(self, cell: Node) -> Node:
        """A cell's events, embedded or from the file its `prefix_ref` names; never both."""
        reference = cell.get("prefix_ref")
        if reference is None:
            return cell.need("events")
        if cell.get("events") is not None:
            raise WrongShapeError(f"{reference.path}: stands beside embedded events; a cell has one of them")
        name = reference.text()
        if name not in self._events:
            self._events[name] = self._read(reference, name)
        return self._events[name]

    def _read(self, reference: Node, name: str) -> Node:
        entry = self._index.get(name) if self._index is not None else None
        if entry is None:
            raise WrongShapeError(f"{reference.path}: no {name} in $.prefix_index")
        relative = entry.need("relative_path")
        home = self._directory.resolve()
        path = (home / relative.text()).resolve()
        if not path.is_relative_to(home):
            raise relative.wrong("a path below the export's directory")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WrongShapeError(f"{relative.path}: {path}: {error.strerror}") from None
        stated = entry.need("sha256")
        if (found := hashlib.sha256(data).hexdigest()) != stated.text().lower():
            raise WrongShapeError(f"{stated.path}: {path.name} has {found}, not what is stated")
        try:
            return Node(json.loads(data), path.name).need("events")
        except ValueError:
            raise WrongShapeError(f"{relative.path}: {path.name} is not JSON") from None
