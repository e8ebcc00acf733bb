"""Monitor endpoints on screen. With no URL: the engines found on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.cli.arguments import add_access, add_interval, settings_begun
from inferguard_tui.cli.exits import UNKNOWN
from inferguard_tui.connection import TUI_INTERVAL_S

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    add_access(parser)
    add_interval(parser, f"{TUI_INTERVAL_S:g}")
    parser.add_argument("--theme", metavar="NAME", help="colours of the screen")
    parser.add_argument(
        "--read-only", action="store_true", default=None, help="refuse every action but a preview"
    )


def run(arguments: argparse.Namespace) -> int:
    from inferguard_tui.cli.screen import load_screen, refusal, show

    if refusal():
        return UNKNOWN
    begun = settings_begun(arguments)
    from inferguard_tui.cli.targets import targets
    from inferguard_tui.session import LiveFeed

    load_screen()
    settings = begun()
    endpoints = None if settings is None else targets(arguments, settings)
    if settings is None or endpoints is None:
        return UNKNOWN
    return show(LiveFeed(endpoints, settings), settings)
