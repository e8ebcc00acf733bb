"""What may be loaded by what, checked on the static import graph and on the modules of real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCREEN_AND_CLOUD = {"textual", "rich", "plotext", "openai", "upstash_redis", "upstash_vector"}

IMPORT_ALL = """
import importlib, sys, pathlib, inferguard_core
# httpx loads its own command line, and rich with it, where click happens to be installed; we do not install it.
sys.modules["click"] = None
root = pathlib.Path(inferguard_core.__file__).parent
for file in sorted(root.rglob("*.py")):
    name = ".".join(("inferguard_core", *file.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
    if not name.startswith(tuple(sys.argv[1:]) or ("-",)):
        importlib.import_module(name)
print(*sorted({name.partition(".")[0] for name in sys.modules if sys.modules[name] is not None}))
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(ROOT / part) for part in ("core", "brain", "themes", "."))
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
    )


def loaded_by_core(*left_out: str) -> set[str]:
    done = python("-c", IMPORT_ALL, *left_out)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_no_module_of_the_core_loads_a_screen_or_a_cloud_client() -> None:
    loaded = loaded_by_core()
    assert "inferguard_core" in loaded
    assert not loaded & SCREEN_AND_CLOUD


def test_only_the_settings_load_pydantic_settings() -> None:
    """It costs more to import than the rest of the core."""
    assert "pydantic_settings" in loaded_by_core()
    assert "pydantic_settings" not in loaded_by_core("inferguard_core.settings")


@pytest.mark.parametrize("command", [["--version"], ["--help"], ["scan", "--help"]])
def test_the_command_line_answers_without_a_screen(command: list[str]) -> None:
    done = python("-X", "importtime", "-m", "inferguard_tui", *command)
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "inferguard_tui" in loaded
    assert not loaded & SCREEN_AND_CLOUD


def test_a_scan_loads_neither_memory_nor_brain() -> None:
    done = python(
        "-X",
        "importtime",
        "-m",
        "inferguard_tui",
        "scan",
        "127.0.0.1:9",
        "--json",
        "--samples",
        "2",
        "--interval",
        "0.1",
    )
    assert json.loads(done.stdout)["error"] is not None
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "inferguard_core.watch" in loaded
    assert not [n for n in loaded if n.startswith(("inferguard_core.memory", "inferguard_brain", "sqlite3"))]


def test_the_import_contracts_hold() -> None:
    done = python(
        "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    assert done.returncode == 0, done.stdout
