"""List the themes of the screen: those bundled, yours from the configuration directory, and Textual's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.exits import OK, WARNING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(arguments: argparse.Namespace) -> int:
    from inferguard_tui.theming import find_themes, user_theme_directory

    found, bad = find_themes()
    if arguments.json:
        themes = [
            {
                "name": each.theme.name,
                "dark": each.theme.dark,
                "own_palette": each.theme.ansi,
                "origin": each.origin,
            }
            for each in found
        ]
        problems = [{"name": one.name, "message": one.message} for one in bad]
        print(json.dumps({"schema": "inferguard.themes/1", "themes": themes, "bad": problems}))
    else:
        width = max(len(each.theme.name) for each in found)
        for each in found:
            print(f"{each.theme.name:<{width}}  {each.kind:<17}  {each.origin}")
        complain(f"your own go into {user_theme_directory()}, as NAME.toml")
    complain(*(one.message for one in bad))
    return WARNING if bad else OK
