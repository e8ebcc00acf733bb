"""The way from the command line to the screen, and the only module here that loads Textual."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.exits import OK, UNKNOWN
from inferguard_tui.terminal import in_browser

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inferguard_core.settings import Settings
    from inferguard_tui.feed import FrameFeed
    from inferguard_tui.program import Program


def refusal() -> bool:
    """Say so, and return True, when there is no terminal to draw on."""
    if (sys.stdin.isatty() and sys.stdout.isatty()) or in_browser(os.environ):
        return False
    complain("no terminal to draw on; inferguard scan and inferguard watch need none")
    return True


def load_screen() -> None:
    """Load what `show` shows with, in the time that something else takes."""
    import inferguard_tui.app  # noqa: F401


def show(feed: FrameFeed, settings: Settings) -> int:
    """Show `feed` until the person quits; the exit code."""
    if refusal():
        return UNKNOWN
    from inferguard_core.settings.catalogue import COMMAND_LINE, secrets_of
    from inferguard_tui.app import InferGuardApp
    from inferguard_tui.keymap import read_keymap
    from inferguard_tui.program import Setup
    from inferguard_tui.remembered import load

    keymap, wrong = read_keymap(settings.keys)
    if wrong:
        complain(*wrong)
        return UNKNOWN
    state_dir = settings.memory.state_dir
    setup = Setup(keymap, settings, state_dir, load(state_dir))
    app = InferGuardApp(feed, theme=settings.ui.theme, setup=setup)
    if app.no_theme is not None and settings.origin("ui.theme") == COMMAND_LINE:
        complain(f"there is no theme {app.no_theme.name}; inferguard themes lists them")
        return UNKNOWN
    return run(app, state_dir, secrets_of(settings.tables, settings))


def run(app: Program, state_dir: Path | None, secrets: Sequence[str]) -> int:
    """Run the application to its end, whatever that is; the exit code. A crash is told and written down."""
    from inferguard_tui import crash
    from inferguard_tui.ending import clean_end

    error: BaseException | None = None
    try:
        with clean_end(app.leave) as ending:
            app.ending = ending
            app.run()
    except Exception as raised:  # noqa: BLE001 - whatever it is, the terminal is as it was and a report is written
        error = raised
    if error is None:
        error = app.crashed
    if error is None:
        return app.return_code or OK
    complain(*crash.tell(error, state_dir, secrets))
    return crash.EXIT_CODE
