"""Pages for tests of the engine tables: captured ones, ours in the repository and public ones beside it, and
pages built from the few lines that a test is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inferguard_core.engines import EngineReader

if TYPE_CHECKING:
    from inferguard_core.reading import Reading

ROOT = Path(__file__).parents[2]
OURS = ROOT / "tests" / "fixtures" / "captures"
BESIDE = ROOT.parent / "shared"


def page(name: str) -> str:
    """The text of a capture; skips the test where only another machine has it."""
    for folder in (OURS, BESIDE / "captures"):
        path = folder / f"{name}.txt"
        if path.exists():
            return path.read_text("utf-8")
    pytest.skip("a page of a public repository, not ours to publish; ../shared/captures is not there")


def read(text: str, version: str | None = None) -> Reading:
    return EngineReader().read(text, version)


def sglang(*lines: str) -> str:
    return "".join(f"sglang:{line}\n" for line in lines)


def vllm(*lines: str) -> str:
    return "".join(f"vllm:{line}\n" for line in lines)


def buckets(name: str, labels: str, *counts: float, edges: tuple[str, ...] = ("1", "2", "+Inf")) -> str:
    lines = [f'{name}_bucket{{{labels},le="{e}"}} {c}\n' for e, c in zip(edges, counts, strict=True)]
    return "".join(lines) + f"{name}_sum{{{labels}}} {sum(counts)}\n{name}_count{{{labels}}} {counts[-1]}\n"
