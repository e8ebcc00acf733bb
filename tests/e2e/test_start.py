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
        json.dump(loaded, out)
atexit.register(note)
from inferguard_tui.cli import main
sys.exit(main(sys.argv[1:]))
"""
ALLOWED = {
    *("textual", "rich", "platformdirs", "markdown_it", "mdurl", "linkify_it", "uc_micro"),
    *(
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "annotated_types",
        "typing_inspection",
        "typing_extensions",
    ),
    *("dotenv", "httpx", "httpcore", "h11", "anyio", "sniffio", "idna", "certifi", "httpx_aiohttp"),
    *(
        "aiohttp",
        "aiohappyeyeballs",
        "aiosignal",
        "attr",
        "attrs",
        "frozenlist",
        "multidict",
        "propcache",
        "yarl",
    ),
    *("plotext", "prettydoc"),
}
MOST_MODULES = 520
"""Of other people's packages; 474 when this was written."""


def test_the_start_loads_what_it_needs(tmp_path: Path) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        terminal = Terminal(urls[0], "--interval", "1", program=("-c", NOTING), NOTED=str(tmp_path / "noted"))
        terminal.until("tok held", 30)
        terminal.press("q")
        assert terminal.ended() == 0
    loaded: dict[str, list[str]] = json.loads((tmp_path / "noted").read_text("utf-8"))
    ours = {"__editable___inferguard_tui", "_distutils_hack", "_virtualenv", "inferguard_tui"}
    assert {"textual", "aiohttp", "plotext"} <= loaded.keys()
    assert loaded.keys() - ALLOWED - ours == set()
    assert sum(map(len, loaded.values())) <= MOST_MODULES
