"""Themes from files, and the tokens that the screen needs from any theme.

A file is TOML whose keys are the fields of a Textual theme, with our own tokens under `[variables]`; its stem is
the theme's name. A bad file is a value with a reason, never a crash at start-up: a colour that does not parse
would otherwise end the program when the theme is chosen.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable

DARK, LIGHT, OWN_PALETTE = "night", "day", "ansi-dark"
"""Our dark theme, our light one, and the built-in theme of the terminal's own 16 colours."""

_COLOURS = {
    *("primary", "secondary", "warning", "error", "success", "accent"),
    *("foreground", "background", "surface", "panel", "boost"),
}
_FLAGS = {"dark", "ansi"}
_NUMBERS = {"luminosity_spread", "text_alpha"}
_FIELDS = {f.name for f in fields(Theme)} & (_COLOURS | _FLAGS | _NUMBERS)
_ANSI_TOKENS = {
    "ink-text": "ansi_default",
    "ink-strong": "ansi_default",
    "ink-dim": "ansi_default",
    "ink-rule": "ansi_default",
    "ink-title": "ansi_default",
    "ink-focus": "ansi_cyan",
    "ink-key": "ansi_cyan",
    "severity-ok": "ansi_green",
    "severity-notice": "ansi_cyan",
    "severity-warning": "ansi_yellow",
    "severity-critical": "ansi_red",
    "stale": "ansi_default",
    "series": "ansi_cyan",
    "series2": "ansi_magenta",
    "limit": "ansi_yellow",
    "badge-background": "ansi_default",
    "badge-foreground": "ansi_default",
    "cursor-background": "ansi_default",
    "cursor-foreground": "ansi_default",
    # Sixteen colours hold no shades: faint and reverse stand in for them.
    "ink-dim-style": "dim",
    "badge-style": "reverse",
}
TOKENS = frozenset(_ANSI_TOKENS)
_COLOUR_TOKENS = frozenset(token for token in TOKENS if not token.endswith("-style"))


@dataclass(frozen=True, slots=True)
class BadTheme:
    """A theme that cannot be used, in one line."""

    message: str


def load_themes(user_directory: Path | None = None) -> tuple[tuple[Theme, ...], tuple[BadTheme, ...]]:
    """Bundled themes, then those of the person, which win by name; and what was wrong with the rest."""
    bundled = (f for f in files("inferguard_themes").iterdir() if f.name.endswith(".toml"))
    directory = user_theme_directory() if user_directory is None else user_directory
    good: dict[str, Theme] = {}
    bad: list[BadTheme] = []
    for file in (*sorted(bundled, key=lambda f: f.name), *_listed(directory)):
        theme = read_theme(file)
        if isinstance(theme, Theme):
            good[theme.name] = theme
        else:
            bad.append(theme)
    return tuple(good.values()), tuple(bad)


def user_theme_directory(environ: Mapping[str, str] | None = None) -> Path:
    """`$XDG_CONFIG_HOME/inferguard/themes`, by default under `~/.config`."""
    env = os.environ if environ is None else environ
    base = env.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "inferguard" / "themes"


def _listed(directory: Path) -> Iterable[Path]:
    try:
        return sorted(directory.glob("*.toml"))
    except OSError:
        return ()


def read_theme(file: Traversable) -> Theme | BadTheme:
    """One file; every key and colour is checked."""
    try:
        keys = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return BadTheme(f"theme {file.name}: {printable(str(error))}")
    variables = keys.pop("variables", {})
    problem = _problem(keys, variables)
    if problem:
        return BadTheme(f"theme {file.name}: {problem}")
    return Theme(name=file.name.removesuffix(".toml"), variables=variables, **keys)


def _problem(keys: dict[str, Any], variables: object) -> str:
    """The first thing that is wrong, or nothing."""
    if unknown := sorted(keys.keys() - _FIELDS):
        return (
            f"unknown key {printable(unknown[0])}; allowed are {', '.join(sorted(_FIELDS))} and [variables]"
        )
    if "primary" not in keys:
        return "primary is missing"
    if not isinstance(variables, dict) or not all(isinstance(v, str) for v in variables.values()):
        return "[variables] must hold strings"
    return next(
        filter(None, (_wrong(name, value) for name, value in (*keys.items(), *variables.items()))), ""
    )


def _wrong(name: str, value: object) -> str:
    if name in _FLAGS and not isinstance(value, bool):
        return f"{name} must be true or false"
    if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"{name} must be a number"
    if (name in _COLOURS or name in _COLOUR_TOKENS) and not _is_colour(value):
        return f"{name} = {printable(repr(value), 40)} is not a colour"
    return ""


def _is_colour(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        Color.parse(value)
    except ColorParseError:
        return False
    return True


def chosen_theme(name: str | None, own_palette: bool, themes: Iterable[Theme]) -> str | BadTheme:
    """The theme to start with. A terminal with its own palette only gets that, whatever was asked."""
    known = {*BUILTIN_THEMES, *(theme.name for theme in themes)}
    if name is not None and name not in known:
        return BadTheme(f"unknown theme {printable(name, 40)}; there are {', '.join(sorted(known))}")
    if own_palette:
        return name if name is not None and BUILTIN_THEMES.get(name, Theme("", "")).ansi else OWN_PALETTE
    return name or DARK


def token_defaults(theme: Theme) -> dict[str, str]:
    """Our tokens for a theme that does not define them."""
    if theme.ansi:
        return dict(_ANSI_TOKENS)
    colours = theme.to_color_system().generate()
    ground, front = Color.parse(colours["background"]), Color.parse(colours["foreground"])

    def shade(share: float) -> str:
        """Foreground over background, `share` of it."""
        return ground.blend(front, share, alpha=1.0).hex

    return {
        "ink-text": shade(0.9),
        "ink-strong": front.hex,
        "ink-dim": shade(0.68),
        "ink-rule": shade(0.35),
        "ink-title": shade(0.8),
        "ink-focus": colours["accent"],
        "ink-key": colours["accent"],
        "severity-ok": colours["success"],
        "severity-notice": colours["secondary"],
        "severity-warning": colours["warning"],
        "severity-critical": colours["error"],
        "stale": shade(0.6),
        "series": colours["primary"],
        "series2": colours["secondary"],
        "limit": colours["warning"],
        "badge-background": shade(0.2),
        "badge-foreground": front.hex,
        "cursor-background": shade(0.25),
        "cursor-foreground": front.hex,
        "ink-dim-style": "none",
        "badge-style": "none",
    }
