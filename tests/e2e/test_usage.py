"""Wrong usage: one line that names the argument, its value and what to do, and exit 3, of every command."""

from __future__ import annotations

import pytest

from inferguard_tui.cli import COMMANDS, main


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The only line of a run that ends with 3."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_that_there_is_not(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    needed = {
        "canary": ["flags"],
        "completion": ["bash"],
        "act": ["x"],
        "validate": ["x"],
        "record": ["-o", "x"],
    }
    line = told(capsys, command, *needed.get(command, []), "--nonsense")
    assert line.startswith("inferguard: ")
    assert line.endswith(" --help")
    assert f"see: inferguard {command}" in line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("scan", "--nonsense"), "--nonsense: no such option; see: inferguard scan --help"),
        (
            ("scan", "--deadlin", "3"),
            "--deadlin: no such option; near it: --deadline; see: inferguard scan --help",
        ),
        (("scan", "--deadline", "soon"), "--deadline soon: not a number; see: inferguard scan --help"),
        (("scan", "--samples", "1.5"), "--samples 1.5: not a whole number; see: inferguard scan --help"),
        (("scan", "--deadline"), "--deadline: needs a value after it; see: inferguard scan --help"),
        (("scan", "--json=yes"), "--json: takes no value, and was given yes; see: inferguard scan --help"),
        (("--deadline", "soon"), "--deadline soon: not a number; see: inferguard tui --help"),
        (("serve", "--transport", "tcp"), "--transport tcp: allowed is stdio, streamable-http; see: inferguard serve --help"),
        (("completion", "bash", "more"), "more: one argument too many; see: inferguard completion --help"),
        (("scan", "--deadline", "\x1b[2J"), "--deadline \\x1b[2J: not a number; see: inferguard scan --help"),
        (("scan", "--deadline", ""), "--deadline (empty): not a number; see: inferguard scan --help"),
    ],
)  # fmt: skip
def test_the_line_names_the_argument_its_value_and_what_to_do(
    arguments: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, *arguments) == f"inferguard: {line}"


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "-o/--output: missing, and needed; " in told(capsys, "record", "127.0.0.1:1")
    assert "incidents show --help" in told(capsys, "incidents", "show")
    assert "--grade splendid: allowed is helped, " in told(
        capsys, "incidents", "resolve", "x", "--grade", "splendid"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_no_mistake(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().err == ""
