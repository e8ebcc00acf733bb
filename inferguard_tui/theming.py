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

DARK, OWN_PALETTE = "night", "sixteen"
"""The theme to start with, and the one for a terminal of sixteen colours or none."""
BUNDLED, BUILT_IN = "bundled", "textual"
"""Origins of a theme that is no file of the person's."""

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

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """A theme and where it comes from."""

    theme: Theme
    origin: str
    """`bundled`, `textual`, or the path of the person's file."""

    @property
    def kind(self) -> str:
        ground = "dark" if self.theme.dark else "light"
        return f"{ground}, 16 colours" if self.theme.ansi else ground


def find_themes(user_directory: Path | None = None) -> tuple[tuple[Found, ...], tuple[BadTheme, ...]]:
    """Bundled themes and the person's, which win by name, then Textual's; and what was wrong with the rest."""
    bundled = (f for f in files("inferguard_themes").iterdir() if f.name.endswith(".toml"))
    directory = user_theme_directory() if user_directory is None else user_directory
    good: dict[str, Found] = {}
    bad: list[BadTheme] = []
    ours = [(file, BUNDLED) for file in sorted(bundled, key=lambda f: f.name)]
    for file, origin in (*ours, *((path, str(path)) for path in _listed(directory))):
        theme = read_theme(file)
        if isinstance(theme, Theme):
            good[theme.name] = Found(theme, origin)
        else:
            bad.append(theme)
    for name, theme in BUILTIN_THEMES.items():
        good.setdefault(name, Found(theme, BUILT_IN))
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
    name = file.name.removesuffix(".toml")
    try:
        keys = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return BadTheme(name, f"theme {file.name}: {printable(str(error))}")
    variables = keys.pop("variables", {})
    problem = _problem(keys, variables)
    if problem:
        return BadTheme(name, f"theme {file.name}: {problem}")
    return Theme(name=name, variables=variables, **keys)


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
    own_palette = keys.get("ansi") is True
    every = (*keys.items(), *variables.items())
    return next(filter(None, (_wrong(name, value, own_palette=own_palette) for name, value in every)), "")


def _wrong(name: str, value: object, *, own_palette: bool) -> str:
    if name in _FLAGS and not isinstance(value, bool):
        return f"{name} must be true or false"
    if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"{name} must be a number"
    if name in _COLOURS or name in _COLOUR_TOKENS:
        if not _is_colour(value):
            return f"{name} = {printable(repr(value), 40)} is not a colour"
        if own_palette and not str(value).startswith("ansi_"):
            return f"{name} = {printable(repr(value), 40)}: with ansi = true only ansi_ colours"
    return ""


def _is_colour(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        Color.parse(value)
    except ColorParseError:
        return False
    return True


def chosen_theme(
    name: str | None, own_palette: bool, themes: Iterable[Theme], bad: Iterable[BadTheme] = ()
) -> str | BadTheme:
    """The theme to start with. A terminal with its own palette only gets that, whatever was asked.

    A theme whose file is bad is replaced by the default; the file is complained of where all of them are.
    """
    known = {theme.name: theme.ansi for theme in themes}
    if name in {one.name for one in bad} - known.keys():
        name = None
    if name is not None and name not in known:
        instead = OWN_PALETTE if own_palette else DARK
        return BadTheme(
            name, f"there is no theme {printable(name, 40)}: {instead} is used; t shows all there are"
        )
    if own_palette:
        return name if name is not None and known[name] else OWN_PALETTE
    return name or DARK


def token_defaults(theme: Theme) -> dict[str, str]:
    """Our tokens for a theme that does not define them."""
    if theme.ansi:
        paper, pen = ("ansi_black", "ansi_white") if theme.dark else ("ansi_white", "ansi_black")
        # Textual's own styles of a screen ask these two of a theme of this kind.
        return {**_ANSI_TOKENS, "ansi-background": paper, "ansi-foreground": pen}
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
