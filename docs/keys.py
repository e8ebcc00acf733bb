"""Writes docs/keys.md from the bindings: `make docs`."""

from __future__ import annotations

from pathlib import Path

from inferguard_tui.keymap import key_names
from inferguard_tui.keys import every_binding

HEAD = """\
# Keys

`?` shows the keys that work where you are, then those of all other screens; `:` or `ctrl-p` finds any of them by name.
Every key can be moved in the settings file (`~/.config/inferguard/config.toml`), by the id of what it does:

```toml
[keys]
app.pause = "f6"
endpoint.zoom = "v,f5"
```

Write a key as the character on it, or by its name: `space`, `comma`, `enter`, `escape`, `f5`, `ctrl+x`, `pagedown`.
Several are joined by commas. What you write takes the place of all keys that the action had. An id that does not
exist, or two actions on one key, is said before the screen opens. `ctrl-c` always leaves.

| key | id | what it does |
|---|---|---|
"""


def keys_page() -> str:
    """The text of docs/keys.md."""
    rows = (
        f"| `{key_names(binding).replace('|', chr(92) + '|')}` | `{binding.id}` | {binding.tooltip} |"
        for binding in every_binding()
    )
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(keys_page(), "utf-8")
