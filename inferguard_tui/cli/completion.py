"""Print what a shell needs to complete inferguard: commands, options, choices and files.

Made from the parsers themselves. bash: source it from ~/.bashrc; zsh: write it to a file
_inferguard on $fpath; fish: to ~/.config/fish/completions/inferguard.fish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_tui.cli.exits import OK
from inferguard_tui.cli.parsers import command_parser, options, positionals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

PROGRAM: Final = "inferguard"
_FILES: Final = {"FILE", "EXPORT", "BASELINE", "DIR", "RECORDING", "PATH"}
"""Metavars whose values are paths."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=sorted(_SHELLS))


def run(arguments: argparse.Namespace) -> int:
    print(_SHELLS[arguments.shell](_commands()), end="")
    return OK


class _Option:
    """One option as a shell sees it."""

    def __init__(self, action: argparse.Action) -> None:
        self.names = tuple(action.option_strings)
        self.takes = action.nargs != 0
        self.choices = tuple(map(str, action.choices or ()))
        self.files = str(action.metavar) in _FILES
        self.help = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


class _Command:
    """One command as a shell sees it."""

    def __init__(self, name: str, words: str) -> None:
        parser = command_parser(name)
        self.name, self.words = name, words
        self.options = [_Option(action) for action in options(parser)]
        self.choices = [str(choice) for action in positionals(parser) for choice in action.choices or ()]
        self.files = any(str(action.metavar) in _FILES for action in positionals(parser))


def _commands() -> list[_Command]:
    from inferguard_tui.cli import COMMANDS

    return [_Command(name, words) for name, words in COMMANDS.items()]


def _bash(commands: list[_Command]) -> str:
    names = " ".join(command.name for command in commands)
    return "\n".join(
        [
            f"# bash completion of {PROGRAM}",
            f"_{PROGRAM}() {{",
            '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" words files command',
            f'    local commands="{names}"',
            '    command="${COMP_WORDS[1]}"',
            '    [[ " $commands " == *" $command "* && $COMP_CWORD -gt 1 ]] || command=tui',
            '    case "$command $prev" in',
            *_bash_values(commands),
            "    esac",
            '    case "$command" in',
            *(f"        {c.name}) {_bash_words(c)} ;;" for c in commands),
            "    esac",
            '    ((COMP_CWORD == 1)) && [[ $cur != -* ]] && words="$commands"',
            '    COMPREPLY=($(compgen -W "$words" -- "$cur"))',
            '    [[ -n $files && $cur != -* ]] && COMPREPLY+=($(compgen -f -- "$cur"))',
            "    return 0",
            "}",
            f"complete -o filenames -F _{PROGRAM} {PROGRAM}",
            "",
        ]
    )


def _bash_values(commands: list[_Command]) -> Iterator[str]:
    """What follows an option that takes a value; nothing where it could be anything."""
    for command in commands:
        for option in command.options:
            if not option.takes:
                continue
            given = "COMPREPLY=()"
            if option.choices:
                given = f'COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$cur"))'
            elif option.files:
                given = 'COMPREPLY=($(compgen -f -- "$cur"))'
            patterns = "|".join(f'"{command.name} {name}"' for name in option.names)
            yield f"        {patterns}) {given}; return 0 ;;"


def _bash_words(command: _Command) -> str:
    names = " ".join(name for option in command.options for name in option.names)
    chosen = " ".join(command.choices)
    files = " files=1" if command.files else ""
    return f'[[ $cur == -* ]] && words="{names}" || words="{chosen}";{files}'


def _zsh(commands: list[_Command]) -> str:
    described = " ".join(_quoted(f"{c.name}:{_plain(c.words)}") for c in commands)
    return "\n".join(
        [
            f"#compdef {PROGRAM}",
            f"_{PROGRAM}() {{",
            f"    local -a commands=({described})",
            "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then",
            "        _describe command commands",
            "        return",
            "    fi",
            "    local command=$words[2]",
            "    if (( ${commands[(I)$command:*]} )) && (( CURRENT > 2 )); then",
            "        shift words; (( CURRENT-- ))",
            "    else",
            "        command=tui",
            "    fi",
            "    case $command in",
            *(f"        {c.name}) _arguments {' '.join(_zsh_specs(c))} ;;" for c in commands),
            "    esac",
            "}",
            f'if [[ $funcstack[1] == _{PROGRAM} ]]; then _{PROGRAM} "$@"; else compdef _{PROGRAM} {PROGRAM}; fi',
            "",
        ]
    )


def _zsh_specs(command: _Command) -> Iterator[str]:
    for option in command.options:
        value = ""
        if option.takes:
            offered = f"({' '.join(option.choices)})" if option.choices else "_files" if option.files else " "
            value = f":value:{offered}"
        for name in option.names:
            yield _quoted(f"{name}[{_plain(option.help)}]{value}")
    rest = f"({' '.join(command.choices)})" if command.choices else "_files" if command.files else " "
    yield _quoted(f"*:argument:{rest}")


def _fish(commands: list[_Command]) -> str:
    lines = [
        f"# fish completion of {PROGRAM}",
        f"function __{PROGRAM}_is",
        "    set -l words (commandline -opc)",
        "    set -q words[2]; and test $words[2] = $argv[1]",
        "end",
        f"complete -c {PROGRAM} -f",
    ]
    for command in commands:
        first = "test (count (commandline -opc)) -eq 1"
        lines.append(
            f"complete -c {PROGRAM} -n {_quoted(first)} -a {command.name} -d {_quoted(_plain(command.words))}"
        )
        here = f"complete -c {PROGRAM} -n {_quoted(f'__{PROGRAM}_is {command.name}')}"
        lines += [f"{here} {_fish_option(option)}" for option in command.options]
        lines += [f"{here} -a {_quoted(' '.join(command.choices))}"] if command.choices else []
        lines += [f"{here} -F"] if command.files else []
    return "\n".join([*lines, ""])


def _fish_option(option: _Option) -> str:
    names = " ".join(
        f"-l {name.removeprefix('--')}" if name.startswith("--") else f"-s {name.removeprefix('-')}"
        for name in option.names
    )
    value = ""
    if option.takes:
        value = " -r"
        value += (
            f" -a {_quoted(' '.join(option.choices))}" if option.choices else " -F" if option.files else ""
        )
    return f"{names}{value} -d {_quoted(_plain(option.help))}"


def _plain(text: str) -> str:
    """Words that no shell takes for syntax."""
    return "".join(c for c in text if c.isalnum() or c in " ,.;-+=_/()").strip()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_SHELLS: Final[dict[str, Callable[[list[_Command]], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
