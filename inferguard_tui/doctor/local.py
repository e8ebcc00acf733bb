"""What can be known without a network: versions, settings, terminal, state directory."""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.printable import printable
from inferguard_core.secret import SecretStr
from inferguard_core.settings.catalogue import catalogue
from inferguard_core.settings.problem import mask_userinfo
from inferguard_tui import __version__
from inferguard_tui.doctor.check import Check, State
from inferguard_tui.terminal import detect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from inferguard_core.settings import Settings

PACKAGES = ("textual", "httpx", "aiohttp", "pydantic", "pydantic-settings", "plotext", "openai")
EXTRAS = {"mcp": "serve", "textual-serve": "web", "daytona": "canaries in a workspace"}
"""Distributions of the extras and what each is for."""
_QUERY = re.compile(r"\?(?!match=)\S+")
"""A webhook's URL may carry its key there; a selector of a metrics server is none."""
MANY_MIB = 0.9
"""Share of the store's limit from which old readings are about to go."""


def versions() -> Check:
    """Of the interpreter, of us, and of what we stand on."""
    found = {name: _version(name) for name in (*PACKAGES, *EXTRAS)}
    missing = [name for name in PACKAGES if found[name] is None]
    extras = [f"{name} {found[name] or 'not installed'} ({use})" for name, use in EXTRAS.items()]
    said = f"inferguard {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if missing:
        said += f"; missing: {', '.join(missing)}: install inferguard-tui again"
    return Check(
        "versions",
        "program",
        State.BROKEN if missing else State.OK,
        said,
        (
            ", ".join(f"{name} {found[name]}" for name in PACKAGES if found[name]),
            f"extras: {'; '.join(extras)}",
        ),
        {"inferguard": __version__, "python": platform.python_version(), "packages": found},
    )


def settings_check(settings: Settings) -> Check:
    """What is not a default, and where it was set; secrets as set or unset."""
    rows = catalogue(settings.tables)
    given = {key: row for key, row in rows.items() if settings.origin(key) != "default"}
    secrets = {key: _value(settings, key) is not None for key, row in rows.items() if row.secret}
    lines = []
    for key, row in given.items():
        value = "set" if row.secret else _shown(_value(settings, key))
        lines.append(f"{key} = {value}  ({settings.origin(key)})")
    unset = [key for key, there in secrets.items() if not there]
    lines += [f"secrets not set: {', '.join(unset)}"] if unset else []
    return Check(
        "settings",
        "in force",
        State.OK,
        f"{len(given)} of {len(rows)} differ from their default",
        tuple(lines),
        {
            "given": {
                key: {
                    "value": None if row.secret else _shown(_value(settings, key)),
                    "origin": settings.origin(key),
                    "secret": row.secret,
                }
                for key, row in given.items()
            },
            "secrets": {key: "set" if there else "unset" for key, there in secrets.items()},
        },
    )


def terminal(environ: Mapping[str, str] | None = None) -> Check:
    """What the screen would draw with here."""
    env = os.environ if environ is None else environ
    able = detect(env)
    columns, rows = shutil.get_terminal_size()
    there = sys.stdin.isatty() and sys.stdout.isatty()
    drawn = [
        "16 colours of its own" if able.own_palette else "theme colours",
        "ASCII" if able.ascii_only else "UTF-8",
    ]
    inside = next((name for name in ("TMUX", "STY", "SSH_CONNECTION") if env.get(name)), "")
    said = f"TERM={printable(env.get('TERM', '')) or 'unset'}, {', '.join(drawn)}, {columns}×{rows}"
    if able.ascii_only:
        said = said.replace("×", "x")
    narrow = there and (columns < 80 or rows < 24)
    more = [f"inside {inside}"] if inside else []
    more += (
        ["no terminal on stdin and stdout: the screen needs one, the other commands do not"]
        if not there
        else []
    )
    more += ["smaller than 80x24: panels are left out"] if narrow else []
    return Check(
        "terminal",
        "screen",
        State.WARNING if narrow else State.OK,
        said,
        tuple(more),
        {
            "term": env.get("TERM"),
            "ascii_only": able.ascii_only,
            "own_palette": able.own_palette,
            "columns": columns,
            "rows": rows,
            "interactive": there,
        },
    )


def state_directory(settings: Settings) -> Check:
    """Whether what outlives a run can be kept, by whom it can be read, and how large it is."""
    path = settings.memory.state_dir
    if settings.memory.mode == "off":
        return Check("state", str(path), State.OFF, "memory is off (INFERGUARD_MEMORY_MODE=off)")
    if not path.exists():
        return _not_there(path)
    if not path.is_dir():
        return Check("state", str(path), State.BROKEN, "is not a directory; set INFERGUARD_STATE_DIR to one")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Check(
            "state", str(path), State.BROKEN, "is not writable: nothing is kept; check its owner and mode"
        )
    sizes, open_to_others = _files(path)
    mib = sum(sizes.values()) / 2**20
    limit = settings.memory.max_mib
    more = [f"{name}: others can read or write it; chmod go= it" for name in open_to_others[:5]]
    if mib > limit * MANY_MIB:
        more.append(f"near INFERGUARD_MEMORY_MAX_MIB={limit:g}: the oldest readings go")
    mode = stat.S_IMODE(path.stat().st_mode)
    return Check(
        "state",
        str(path),
        State.WARNING if more else State.OK,
        f"writable, mode {mode:04o}, {counted(len(sizes), 'file')}, {mib:.1f} MiB of {limit:g}",
        tuple(more),
        {"mode": f"{mode:04o}", "mib": round(mib, 3), "files": len(sizes), "open_to_others": open_to_others},
    )


def _not_there(path: Path) -> Check:
    parent = next(up for up in path.parents if up.exists())
    if os.access(parent, os.W_OK | os.X_OK) and parent.is_dir():
        return Check("state", str(path), State.OK, "is not there yet; it is made when something is kept")
    return Check("state", str(path), State.BROKEN, f"cannot be made: {parent} is not writable")


def _files(directory: Path) -> tuple[dict[str, int], list[str]]:
    """Size by name, and the names that others than their owner can get at."""
    sizes: dict[str, int] = {}
    open_to_others = ["."] if directory.stat().st_mode & 0o077 else []
    for path in sorted(directory.rglob("*")):
        try:
            found = path.lstat()
        except OSError:
            continue  # it went while we looked
        if stat.S_ISREG(found.st_mode):
            name = str(path.relative_to(directory))
            sizes[name] = found.st_size
            if found.st_mode & 0o077:
                open_to_others.append(name)
    return sizes, open_to_others


def _value(settings: Settings, key: str) -> object:
    table, _, name = key.partition(".")
    return getattr(getattr(settings, table), name)


def _shown(value: object) -> str:
    assert not isinstance(value, SecretStr)
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return printable(_QUERY.sub("?***", mask_userinfo(text)), 120)


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
