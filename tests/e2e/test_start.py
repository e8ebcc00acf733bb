"""What the terminal UI loads from the command to its first data: what is listed, and nothing heavy besides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from inferguard_tui.simulator.launch import launched
from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

NOTING = """
import atexit, json, os, sys
def note():
    loaded = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if "site-packages" in file:
            loaded.setdefault(name.partition(".")[0], []).append(name)
    with open(os.environ["NOTED"], "w") as out:
        json.dump([loaded, list(sys.modules)], out)
atexit.register(note)
from inferguard_tui.cli import main
sys.exit(main(sys.argv[1:]))
"""
ALLOWED = {
    *("textual", "rich", "platformdirs", "markdown_it", "mdurl", "linkify_it", "uc_micro"),
    *("annotated_types", "typing_extensions"),
    *("httpx", "aiohappyeyeballs", "h11", "idna", "certifi"),
    *("plotext", "prettydoc"),
}
MOST_MODULES = 400
"""Of other people's packages; 364 when this was written."""
NOT_YET = (
    *(
        "inferguard_core.recorder",
        "inferguard_core.sources.recording",
        "inferguard_core.sources.prometheus.fleet",
    ),
    *("plotext._kernel.api", "plotext._tests", "unittest", "httpcore", "anyio"),
)
"""Each is loaded by what first needs it: together they and what reads over aiohttp were 9 MiB of 77."""


def test_the_start_loads_what_it_needs(tmp_path: Path) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        terminal = Terminal(urls[0], "--interval", "1", program=("-c", NOTING), NOTED=str(tmp_path / "noted"))
        terminal.until("tok held", 30)
        terminal.press("q")
        assert terminal.ended() == 0
    loaded: dict[str, list[str]]
    loaded, every = json.loads((tmp_path / "noted").read_text("utf-8"))
    ours = {"__editable___inferguard_tui", "_distutils_hack", "_virtualenv", "inferguard_tui"}
    assert {"textual", "httpx", "plotext"} <= loaded.keys()
    assert loaded.keys() - ALLOWED - ours == set()
    assert sum(map(len, loaded.values())) <= MOST_MODULES
    assert not {name for name in every if name.startswith(NOT_YET)}
