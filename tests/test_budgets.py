"""The limits that keep the code readable, and the pages that are written from the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from inferguard_core.coverage.page import coverage_page
from inferguard_core.settings.reference import env_example, settings_page

ROOT = Path(__file__).parents[1]
PRODUCT = [ROOT / name for name in ("core", "brain", "themes", "inferguard_tui")]
EVERYTHING = [*PRODUCT, ROOT / "bench", ROOT / "tests"]

FILE_LINES, FUNCTION_LINES, METHODS, APP_LINES = 300, 40, 15, 200
VAGUE_NAMES = {"manager", "managers", "util", "utils", "helper", "helpers", "common", "misc"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
HEX_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|(?=[a-fA-F]*\d)[0-9a-fA-F]{3,4})\b")
TCSS_VALUE = re.compile(r"^\s*[\w$-]+\s*:(.*)$", re.MULTILINE)


def files(roots: list[Path], suffix: str = ".py") -> list[Path]:
    return sorted(
        path for root in roots for path in root.rglob(f"*{suffix}") if "__pycache__" not in path.parts
    )


def where(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {what}"


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def length(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_files_are_short() -> None:
    counts = {path: len(path.read_text("utf-8").splitlines()) for path in files(EVERYTHING)}
    limits = {ROOT / "inferguard_tui" / "app.py": APP_LINES}
    assert counts
    assert not [
        where(path, n, f"{n} lines") for path, n in counts.items() if n > limits.get(path, FILE_LINES)
    ]


def test_functions_are_short() -> None:
    assert not [
        where(path, node.lineno, f"{node.name} has {length(node)} lines")
        for path in files(PRODUCT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > FUNCTION_LINES
    ]


def test_classes_have_few_methods() -> None:
    assert not [
        where(path, node.lineno, f"{node.name} has {len(methods)} methods")
        for path in files(PRODUCT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        if len(methods := [m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)])
        > METHODS
    ]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in files(EVERYTHING) if VAGUE_NAMES & {path.stem, path.parent.name}]


def test_nothing_is_left_unfinished() -> None:
    assert not [
        where(path, number, line.strip())
        for path in files([*PRODUCT, ROOT / "bench"])
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]


def test_no_colour_is_written_outside_the_themes() -> None:
    in_python = [
        where(path, node.lineno, node.value)
        for path in files(PRODUCT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and HEX_COLOUR.search(node.value)
    ]
    in_styles = [
        where(path, 0, value.strip())
        for path in files(PRODUCT, ".tcss")
        for value in TCSS_VALUE.findall(path.read_text("utf-8"))
        if HEX_COLOUR.search(value)
    ]
    assert not in_python + in_styles


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#fff0", True),
        ("#1a2B3c", True),
        ("#112233cc", True),
        ("#feed", False),
        ("#endpoints", False),
        ("# 123", False),
    ],
)
def test_a_colour_is_told_from_the_id_of_a_widget(text: str, colour: bool) -> None:
    assert bool(HEX_COLOUR.search(text)) is colour


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docs/settings.md", settings_page),
        (".env.example", env_example),
        ("docs/coverage.md", coverage_page),
    ],
)
def test_the_pages_written_from_the_code_are_current(name: str, text: object) -> None:
    assert callable(text)
    assert (ROOT / name).read_text("utf-8") == text(), f"{name} is out of date: make docs"
