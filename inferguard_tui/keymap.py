"""A person's own keys: from the settings to a keymap, and the bindings that are in effect under it.

A keymap is checked whole before anything starts: an id that does not exist, a key that no keyboard sends and two
actions on one key are each a line that says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from textual.keys import (
    KEY_TO_UNICODE_NAME,
    REPLACED_KEYS,
    Keys,
    _character_to_key,
    format_key,
    key_to_character,
)

from inferguard_core.printable import printable
from inferguard_tui.keys import every_binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import Binding

Keymap = Mapping[str, str]
"""Binding id to keys by Textual's names, joined by commas."""

EVERYWHERE = frozenset({"app", "replay", "panel", "subject"})
"""Scopes (what an id begins with) whose keys work on several screens, so that no other may use them there."""
_MODIFIERS = frozenset({"ctrl", "shift", "alt", "meta", "super", "hyper"})
_ARROWS = {"←": "left", "↑": "up", "→": "right", "↓": "down"}
_NAMED = frozenset(
    {key.value for key in Keys if key.value[0] != "<"} | {*KEY_TO_UNICODE_NAME, *REPLACED_KEYS}
)


def read_keymap(wanted: Mapping[str, str]) -> tuple[Keymap, tuple[str, ...]]:
    """The keymap that `wanted` (binding id to keys, as a person wrote them) asks for, and what is wrong with it."""
    known = {binding.id: binding for binding in every_binding() if binding.id}
    keymap: dict[str, str] = {}
    wrong: list[str] = []
    for name, text in wanted.items():
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.6)
            hint = f"near it: {', '.join(near)}" if near else "docs/keys.md lists all"
            wrong.append(f"keys.{printable(name, 40)}: no action has this id; {hint}")
            continue
        keys = [_named(key) for key in text.split(",")]
        if bad := [part for part, key in zip(text.split(","), keys, strict=True) if not key]:
            wrong.append(
                f"keys.{name} = {printable(text, 40)}: {printable(bad[0].strip(), 20) or 'nothing'} is not a key;"
                " write a character, or a name such as f5, ctrl+x, space, comma, pagedown"
            )
            continue
        keymap[name] = ",".join(keys)
    return keymap, (*wrong, *_clashes(keymap))


def _named(key: str) -> str:
    """Textual's name of a key; empty when there is no such key."""
    key = key.strip()
    if len(key) == 1:
        return _character_to_key(key) if key.isprintable() else ""
    *modifiers, last = key.split("+")
    if not set(modifiers) <= _MODIFIERS:
        return ""
    return key if last in _NAMED or key_to_character(last) else ""


def _clashes(keymap: Keymap) -> list[str]:
    """Two actions on one key where both would be asked, one of them at least because of this keymap."""
    meant = _users(every_binding())
    found: dict[frozenset[str], str] = {}
    for key, users in _users(effective(every_binding(), keymap)).items():
        for changed in keymap.keys() & users:
            # What shares a key as it comes is meant to: one of the two is asked first.
            shared = meant.get(key, set())
            for other in users - (shared if changed in shared else {changed}):
                if _meet(other, changed):
                    found[frozenset({changed, other})] = (
                        f"keys.{changed} = {key}: {changed} and {other} would be on one key;"
                        f" choose another, or move {other} too"
                    )
    return list(found.values())


def _users(bindings: Iterable[Binding]) -> dict[str, set[str]]:
    """Ids by key."""
    users: dict[str, set[str]] = {}
    for binding in bindings:
        for key in binding.key.split(","):
            users.setdefault(key, set()).add(binding.id or "")
    return users


def _meet(one: str, other: str) -> bool:
    scopes = {one.partition(".")[0], other.partition(".")[0]}
    return len(scopes) == 1 or bool(scopes & EVERYWHERE)


def effective(bindings: Sequence[Binding], keymap: Keymap) -> list[Binding]:
    """The bindings with the keys that they have under `keymap`, and the footer's name of those."""
    if not keymap:
        return list(bindings)
    found = [b.with_key(keymap[b.id]) if b.id and b.id in keymap else b for b in bindings]
    for at, (before, now) in enumerate(zip(bindings, found, strict=True)):
        pair = _pair(before, found[at + 1 : at + 2])
        if before.key_display and (now.key != before.key or any(b.id in keymap for b in pair)):
            names = "/".join(key_name(b.key.partition(",")[0]) for b in (now, *pair))
            found[at] = now.with_key(now.key, names)
    return found


def _pair(binding: Binding, following: Iterable[Binding]) -> list[Binding]:
    """The action that the footer shows together with this one: `j/k`, `[ ]`."""
    shared = len(binding.key_display or "") == 3 and (binding.key_display or "")[1] in "/ "
    return [b for b in following if shared and not b.show]


def key_name(key: str) -> str:
    """A key as it stands on the keyboard: `?`, `esc`, `ctrl-p`, `←`."""
    *modifiers, last = key.split("+")
    # A word that every terminal has, and the footer writes.
    return "-".join([*modifiers, last if last == "enter" else format_key(last)])


def in_words(name: str) -> str:
    """A key's name without arrows: in plain characters they would look like other keys, `<` or `v`."""
    for arrow, word in _ARROWS.items():
        name = name.replace(arrow, word)
    return name


def key_names(binding: Binding) -> str:
    """All keys of a binding: `j or ↓`. The digits are bound one by one and read as a range."""
    if binding.key.isdigit() and binding.key_display:
        return binding.key_display
    return " or ".join(key_name(key) for key in binding.key.split(","))
