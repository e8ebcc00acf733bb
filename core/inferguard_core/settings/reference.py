"""Writes `docs/settings.md` and `.env.example` from the settings, so that neither can say anything else.

`python -m inferguard_core.settings.reference DIRECTORY` writes both below DIRECTORY; a test compares them.
"""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.settings.catalogue import Setting, catalogue
from inferguard_core.settings.model import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPUTED = {"memory.state_dir": "~/.local/state/inferguard"}
"""How a default that depends on the host is written."""

_HEADINGS = {"limits": "Thresholds of the anomaly rules. Times are seconds of observed data."}
"""For tables whose class docstring speaks to programmers."""


def settings_page() -> str:
    """The text of `docs/settings.md`."""
    lines = [
        "# Settings",
        "",
        "<!-- Written by `python -m inferguard_core.settings.reference .`; edit the code, not this page. -->",
        "",
        "A setting can stand in four places; a later one wins:",
        "",
        "1. the environment",
        "2. `.env` in the working directory",
        "3. a TOML file: `--config FILE`, else the one `INFERGUARD_CONFIG` names,",
        "   else `$XDG_CONFIG_HOME/inferguard/config.toml`",
        "4. the command line",
        "",
        "An empty variable counts as unset. In TOML a setting stands in its table, for example:",
        "",
        "```toml",
        "[polling]",
        "interval_seconds = 5",
        "```",
    ]
    for table, rows in _by_table():
        lines += ["", f"## [{table}]", "", _heading(table), ""]
        lines += ["| setting | variable | default | allowed | meaning |", "|---|---|---|---|---|"]
        lines += [_table_row(row, _meanings(table).get(row.field, "")) for row in rows]
    return "\n".join(lines) + "\n"


def env_example() -> str:
    """The text of `.env.example`."""
    lines = [
        "# Copy to .env, take the leading # off what you set. docs/settings.md says what is allowed.",
        "# An exported variable is overridden by this file, this file by the TOML file and the command line.",
        "",
        "# A TOML file to read.",
        "#INFERGUARD_CONFIG=",
    ]
    for table, rows in _by_table():
        lines += ["", f"# --- {table}: {_heading(table)}"]
        for row in rows:
            meaning = _meanings(table).get(row.field)
            lines += [f"# {meaning.replace('`', '')}"] if meaning else []
            lines.append(f"#{row.variables[0]}={_default(row)}")
    return "\n".join(lines) + "\n"


def _by_table() -> Iterator[tuple[str, list[Setting]]]:
    rows = catalogue(Settings.tables).values()
    return ((table, [row for row in rows if row.table == table]) for table in Settings.tables)


def _table_row(row: Setting, meaning: str) -> str:
    names = ", ".join(f"`{name}`" for name in row.variables)
    cells = (f"`{row.field}`", names, _code(_default(row)), row.allowed, meaning.replace("|", "\\|"))
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else "unset"


def _default(row: Setting) -> str:
    if row.key in _COMPUTED:
        return _COMPUTED[row.key]
    value = getattr(Settings.tables[row.table](), row.field)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or value == () else f"{value:g}" if isinstance(value, float) else str(value)


def _heading(table: str) -> str:
    return _HEADINGS.get(table) or inspect.cleandoc(Settings.tables[table].__doc__ or "")


def _meanings(table: str) -> dict[str, str]:
    """Field name to the docstring under it, on one line."""
    body = ast.parse(inspect.getsource(Settings.tables[table])).body[0]
    assert isinstance(body, ast.ClassDef)
    pairs = zip(body.body, body.body[1:], strict=False)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairs
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def main(directory: Path) -> None:
    (directory / "docs").mkdir(exist_ok=True)
    (directory / "docs" / "settings.md").write_text(settings_page(), "utf-8")
    (directory / ".env.example").write_text(env_example(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
