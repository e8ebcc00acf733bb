"""JSON from a file, walked with its path at hand: what is wrong is named where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from inferguard_core.printable import printable


class WrongShapeError(Exception):
    """A value is missing or of another kind; the text begins with its JSON path."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value and where it stands, `$.exports[0].trace_id`."""

    value: Any
    path: str = "$"

    def get(self, name: str) -> Node | None:
        """A field; None when it is absent or null. Fields that nobody asks for are ignored."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        found = self.value.get(name)
        return None if found is None else Node(found, f"{self.path}.{name}")

    def need(self, name: str) -> Node:
        found = self.get(name)
        if found is None:
            raise WrongShapeError(f"{self.path}.{name}: missing")
        return found

    def items(self) -> list[Node]:
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return [Node(each, f"{self.path}[{index}]") for index, each in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.wrong("text")
        return self.value

    def label(self) -> str:
        """An id, which producers write as text or as a whole number; made fit to be shown."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        return printable(self.text())

    def number(self) -> float:
        """A finite number of at least 0."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
            raise self.wrong("a number of at least 0")
        return float(value)

    def wrong(self, wanted: str) -> WrongShapeError:
        shown = printable(repr(self.value), 40)
        return WrongShapeError(f"{self.path}: {wanted} is needed, not {shown}")
