"""Theme files: what loads, what is refused and how, and that people can read the colours."""

from __future__ import annotations

from itertools import combinations
from math import dist
from typing import TYPE_CHECKING

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from inferguard_core.frame import Severity
from inferguard_tui.glyphs import SHAPE, WORD, to_ascii
from inferguard_tui.line import Span, line, text_of
from inferguard_tui.theming import (
    BUILT_IN,
    BUNDLED,
    TOKENS,
    BadTheme,
    Found,
    chosen_theme,
    find_themes,
    read_theme,
    token_defaults,
)

if TYPE_CHECKING:
    from pathlib import Path

THEMES = [each.theme for each in find_themes()[0]]
OURS = [each.theme for each in find_themes()[0] if each.origin == BUNDLED]
IN_COLOUR = [theme for theme in OURS if not theme.ansi]
SEVERITIES = ("severity-ok", "severity-notice", "severity-warning", "severity-critical")
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
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def linear(colour: str) -> list[float]:
    return [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in Color.parse(colour).normalized
    ]


SEEN = {
    "by all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "without red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "without green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "without blue cones": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""How linear RGB looks to an eye: Machado, Oliveira and Fernandes 2009, severity 1.0."""


def difference(one: str, other: str, eye: str) -> float:
    """CIE 1976 colour difference of two colours to an eye; about 2 is just seen."""

    def lab(colour: str) -> tuple[float, float, float]:
        light = linear(colour)
        r, g, b = (
            min(1.0, max(0.0, sum(m * v for m, v in zip(row, light, strict=True)))) for row in SEEN[eye]
        )
        x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
        y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
        z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
        fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else 841 / 108 * t + 4 / 29 for t in (x, y, z))
        return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)

    return dist(lab(one), lab(other))


def test_what_is_bundled() -> None:
    assert {theme.name: (theme.dark, theme.ansi) for theme in OURS} == {
        "colourblind-dark": (True, False),
        "colourblind-light": (False, False),
        "contrast-dark": (True, False),
        "contrast-light": (False, False),
        "day": (False, False),
        "ember": (True, False),
        "mono": (True, False),
        "night": (True, False),
        "sixteen": (True, True),
        "sixteen-light": (False, True),
    }


@pytest.mark.parametrize("theme", IN_COLOUR, ids=lambda theme: theme.name)
@pytest.mark.parametrize("token", READ_AS_TEXT)
def test_text_contrasts_with_its_background_as_wcag_asks(theme: Theme, token: str) -> None:
    assert theme.background is not None
    enhanced = theme.name.startswith("contrast-")
    assert contrast(theme.background, theme.variables[token]) >= (7.0 if enhanced else 4.5)


@pytest.mark.parametrize("theme", IN_COLOUR, ids=lambda theme: theme.name)
@pytest.mark.parametrize("place", ["badge", "cursor"])
def test_text_on_a_filled_place_contrasts_too(theme: Theme, place: str) -> None:
    pair = (theme.variables[f"{place}-background"], theme.variables[f"{place}-foreground"])
    assert contrast(*pair) >= (7.0 if theme.name.startswith("contrast-") else 4.5)


def test_the_computed_contrast_is_that_of_wcag() -> None:
    """Black on white is 21:1 by definition; #777 on white is the well-known near miss of AA."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", IN_COLOUR, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("one", "other"), combinations(SEVERITIES, 2), ids=lambda token: token[9:])
def test_severities_differ_in_colour(theme: Theme, one: str, other: str) -> None:
    assert difference(theme.variables[one], theme.variables[other], "by all cones") >= 12


@pytest.mark.parametrize("eye", SEEN)
@pytest.mark.parametrize("name", ["colourblind-dark", "colourblind-light"])
@pytest.mark.parametrize(("one", "other"), combinations(SEVERITIES, 2), ids=lambda token: token[9:])
def test_severities_differ_to_colour_blind_eyes(name: str, eye: str, one: str, other: str) -> None:
    theme = next(theme for theme in OURS if theme.name == name)
    assert difference(theme.variables[one], theme.variables[other], eye) >= 20


def test_severities_differ_in_shape_and_word_where_there_is_no_colour() -> None:
    plain = [text_of(to_ascii(line(Span(SHAPE[severity])))) for severity in Severity]
    assert len(set(plain)) == len(set(SHAPE.values())) == len(set(WORD.values())) == len(Severity)
    assert "".join(plain).isascii()


@pytest.mark.parametrize("theme", IN_COLOUR, ids=lambda theme: theme.name)
def test_a_bundled_theme_sets_every_colour_token(theme: Theme) -> None:
    assert {token for token in TOKENS if not token.endswith("-style")} <= theme.variables.keys()


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_a_built_in_theme_gets_every_token(name: str) -> None:
    assert token_defaults(BUILTIN_THEMES[name]).keys() >= TOKENS


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
        ('primary = "red"\nansi = true', "with ansi = true only ansi_ colours"),
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
    good, bad = find_themes(tmp_path)
    assert {each.theme.name: each.origin for each in good}["mine"] == str(tmp_path / "mine.toml")
    assert [one.message.partition(":")[0] for one in bad] == ["theme broken.toml"]


def test_a_persons_theme_wins_over_a_bundled_one_of_its_name(tmp_path: Path) -> None:
    written(tmp_path, "night.toml", 'primary = "#112233"')
    good, _ = find_themes(tmp_path)
    assert next(each.theme for each in good if each.theme.name == "night").primary == "#112233"


@pytest.mark.parametrize(("own_palette", "instead"), [(False, "night"), (True, "sixteen")])
def test_an_unknown_theme_is_told_with_what_is_used_instead(own_palette: bool, instead: str) -> None:
    refused = chosen_theme("nonesuch", own_palette, THEMES)
    assert isinstance(refused, BadTheme)
    assert refused.message == f"there is no theme nonesuch: {instead} is used; t shows all there are"


@pytest.mark.parametrize(
    ("name", "own_palette", "chosen"),
    [
        (None, False, "night"),
        ("day", False, "day"),
        (None, True, "sixteen"),
        ("day", True, "sixteen"),
        ("ansi-light", True, "ansi-light"),
    ],
)
def test_a_terminal_of_few_colours_keeps_its_own(name: str | None, own_palette: bool, chosen: str) -> None:
    assert chosen_theme(name, own_palette, THEMES) == chosen


def test_a_chosen_theme_whose_file_is_bad_falls_back(tmp_path: Path) -> None:
    good, bad = find_themes(written(tmp_path, "mine.toml", "?").parent)
    assert [one.name for one in bad] == ["mine"]
    assert chosen_theme("mine", False, [each.theme for each in good], bad) == "night"


@pytest.mark.parametrize(
    ("ansi", "dark", "kind"), [(True, False, "light, 16 colours"), (False, True, "dark")]
)
def test_a_kind_in_words(ansi: bool, dark: bool, kind: str) -> None:
    assert Found(Theme("x", "red", dark=dark, ansi=ansi), BUILT_IN).kind == kind
