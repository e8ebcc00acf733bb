"""A person's own keys: what is accepted, what is refused and how, and what the footer then says."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from textual.app import App
from textual.widget import Widget

from docs.keys import keys_page
from inferguard_tui import screens
from inferguard_tui.app import InferGuardApp
from inferguard_tui.keymap import effective, key_name, key_names, read_keymap
from inferguard_tui.keys import ENDPOINT_KEYS, PROGRAM_KEYS, bindings_of, every_binding
from inferguard_tui.line import text_of
from inferguard_tui.panels.footer import footer_line
from inferguard_tui.widgets.field import Field


def test_the_page_of_keys_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "keys.md"
    assert page.read_text("utf-8") == keys_page(), "docs/keys.md is out of date: make docs"


def test_the_example_on_the_page_is_accepted() -> None:
    example = tomllib.loads(keys_page().partition("```toml")[2].partition("```")[0])["keys"]
    wanted = {f"{scope}.{name}": keys for scope, names in example.items() for name, keys in names.items()}
    keymap, wrong = read_keymap(wanted)
    assert wrong == ()
    assert keymap.keys() == wanted.keys() == {"app.pause", "endpoint.zoom"}


def test_every_binding_has_an_id_of_its_own_and_says_what_it_does() -> None:
    every = every_binding()
    assert len({binding.id for binding in every}) == len(every) > 40
    assert all(binding.id and binding.tooltip and binding.group for binding in every)


def test_the_bindings_as_they_come_clash_nowhere() -> None:
    """Moving each to the keys that it has anyway must be no change."""
    for binding in every_binding():
        assert binding.id
        assert read_keymap({binding.id: binding.key}) == ({binding.id: binding.key}, ())


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("P", "P"),
        ("[", "left_square_bracket"),
        ("?, f1", "question_mark,f1"),
        ("ctrl+x", "ctrl+x"),
        ("shift+f5", "shift+f5"),
        ("comma", "comma"),
        ("space", "space"),
    ],
)
def test_keys_are_written_as_they_stand_on_the_keyboard_or_by_name(text: str, keys: str) -> None:
    assert read_keymap({"app.pause": text})[0] == {"app.pause": keys}


@pytest.mark.parametrize("text", ["", "pp", "ctrl+", "hyperspace", "P,", "ctrl+foo", "\t"])
def test_what_no_keyboard_sends_is_refused(text: str) -> None:
    keymap, (wrong,) = read_keymap({"app.pause": text})
    assert keymap == {}
    assert wrong.startswith("keys.app.pause = ")
    assert "is not a key; write a character, or a name such as f5" in wrong


def test_an_unknown_id_is_refused_with_those_near_it() -> None:
    _, (wrong,) = read_keymap({"app.pausse": "P"})
    assert wrong.startswith("keys.app.pausse: no action has this id; near it: app.pause")


def test_two_actions_on_one_key_are_refused() -> None:
    _, wrong = read_keymap({"endpoint.zoom": "p"})
    assert len(wrong) == 1
    assert "endpoint.zoom and app.pause would be on one key" in wrong[0]
    assert "move app.pause too" in wrong[0]


def test_two_keys_may_change_places() -> None:
    assert read_keymap({"endpoint.zoom": "p", "app.pause": "v"})[1] == ()


def test_the_same_key_on_two_screens_is_no_clash() -> None:
    assert read_keymap({"endpoint.zoom": "b", "fleet.open": "b"})[1] == ()


def shown(keymap: dict[str, str]) -> str:
    bindings = bindings_of([*ENDPOINT_KEYS, *PROGRAM_KEYS])
    return text_of(footer_line(effective(bindings, read_keymap(keymap)[0]), 200))


def test_the_footer_names_the_keys_in_effect() -> None:
    assert " j/k panel " in shown({})
    assert " n/p panel " in shown({"endpoint.next": "n", "endpoint.previous": "p", "app.pause": "P"})
    assert " j/b panel " in shown({"endpoint.previous": "b"})
    assert " P pause " in shown({"app.pause": "P"})
    assert " </> window " in shown({"app.shorter": "<", "app.longer": ">"})
    assert " [/] window " in shown({"app.pause": "P"})


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("question_mark", "?"),
        ("escape", "esc"),
        ("enter", "enter"),
        ("ctrl+p", "ctrl-p"),
        ("left", "←"),
        ("space", "space"),
        ("G", "G"),
    ],
)
def test_a_key_reads_as_on_the_keyboard(key: str, name: str) -> None:
    assert key_name(key) == name


def test_all_keys_of_a_binding_are_named() -> None:
    assert key_names(bindings_of(ENDPOINT_KEYS)[0]) == "j or ↓"


def _owners() -> list[type]:
    """Every class of ours that has bindings, and the application."""
    for module in iter_modules([str(Path(screens.__file__).parent)]):
        import_module(f"{screens.__name__}.{module.name}")
    classes: list[type] = []
    waiting: list[type] = [App, Widget]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls.__module__.startswith("inferguard_tui") and cls not in classes:
            classes.append(cls)
    return classes


def test_every_binding_leads_to_something() -> None:
    bound = {
        (binding.id, cls): binding.action.partition("(")[0]
        for cls in _owners()
        for binding in bindings_of(list(cls.__dict__.get("BINDINGS", [])))
    }
    assert {binding.id for binding in every_binding()} - {name for name, _ in bound} <= {None}
    lost = [
        name
        for (name, cls), action in bound.items()
        if not any(hasattr(owner, f"action_{action}") for owner in (cls, Field, InferGuardApp))
    ]
    assert lost == []
