"""Theme files: what loads, what is refused and how, and that people can read the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from inferguard_tui.theming import TOKENS, BadTheme, chosen_theme, load_themes, read_theme, token_defaults

if TYPE_CHECKING:
    from pathlib import Path

BUNDLED, _ = load_themes()
READ_AS_TEXT = (
    *("ink-text", "ink-strong", "ink-dim", "ink-title", "ink-key"),
    *("severity-ok", "severity-notice", "severity-warning", "severity-critical", "stale", "limit"),
)


def written(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text, "utf-8")
    return directory / name


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in Color.parse(colour).normalized
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_dark_and_a_light_theme_are_bundled() -> None:
    assert {theme.name: theme.dark for theme in BUNDLED} == {"day": False, "night": True}


@pytest.mark.parametrize("theme", BUNDLED, ids=lambda theme: theme.name)
@pytest.mark.parametrize("token", READ_AS_TEXT)
def test_text_contrasts_with_its_background_as_wcag_aa_asks(theme: Theme, token: str) -> None:
    assert theme.background is not None
    assert contrast(theme.background, theme.variables[token]) >= 4.5


@pytest.mark.parametrize("theme", BUNDLED, ids=lambda theme: theme.name)
def test_a_bundled_theme_sets_every_colour_token(theme: Theme) -> None:
    assert {token for token in TOKENS if not token.endswith("-style")} <= theme.variables.keys()


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_a_built_in_theme_gets_every_token(name: str) -> None:
    assert token_defaults(BUILTIN_THEMES[name]).keys() == TOKENS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('primary = "#GGGGGG"', "primary = '#GGGGGG' is not a colour"),
        ("primary = 7", "primary = 7 is not a colour"),
        ('primary = "red"\n[variables]\nstale = "bad"', "stale = 'bad' is not a colour"),
        ('primary = "red"\nhue = "blue"', "unknown key hue"),
        ('secondary = "red"', "primary is missing"),
        ('primary = "red"\ndark = "yes"', "dark must be true or false"),
        ('primary = "red"\ntext_alpha = "1"', "text_alpha must be a number"),
        ('primary = "red"\n[variables]\nstale = 3', "[variables] must hold strings"),
        ("primary = ", "Invalid value"),
    ],
)
def test_a_bad_file_is_named_with_its_reason(tmp_path: Path, text: str, problem: str) -> None:
    bad = read_theme(written(tmp_path, "mine.toml", text))
    assert isinstance(bad, BadTheme)
    assert bad.message.startswith("theme mine.toml: ")
    assert problem in bad.message
    assert "\n" not in bad.message


def test_a_persons_theme_is_found_and_a_bad_one_does_not_hide_it(tmp_path: Path) -> None:
    written(tmp_path, "mine.toml", 'primary = "#112233"')
    written(tmp_path, "broken.toml", "?")
    good, bad = load_themes(tmp_path)
    assert "mine" in {theme.name for theme in good}
    assert [one.message.partition(":")[0] for one in bad] == ["theme broken.toml"]


def test_a_persons_theme_wins_over_a_bundled_one_of_its_name(tmp_path: Path) -> None:
    written(tmp_path, "night.toml", 'primary = "#112233"')
    good, _ = load_themes(tmp_path)
    assert next(theme for theme in good if theme.name == "night").primary == "#112233"


def test_an_unknown_theme_is_refused_with_those_there_are() -> None:
    refused = chosen_theme("nonesuch", False, BUNDLED)
    assert isinstance(refused, BadTheme)
    assert "unknown theme nonesuch" in refused.message
    assert "night" in refused.message
    assert "nord" in refused.message


@pytest.mark.parametrize(
    ("name", "own_palette", "chosen"),
    [
        (None, False, "night"),
        ("day", False, "day"),
        (None, True, "ansi-dark"),
        ("day", True, "ansi-dark"),
        ("ansi-light", True, "ansi-light"),
    ],
)
def test_a_terminal_of_few_colours_keeps_its_own(name: str | None, own_palette: bool, chosen: str) -> None:
    assert chosen_theme(name, own_palette, BUNDLED) == chosen
