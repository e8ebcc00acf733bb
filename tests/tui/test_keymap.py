"""A person's own keys: what is accepted, what is refused and how, and what footer and help then say."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.keys import keys_page
from inferguard_tui.keymap import effective, key_name, key_names, read_keymap
from inferguard_tui.keys import ENDPOINT_KEYS, PROGRAM_KEYS, bindings_of, every_binding
from inferguard_tui.line import text_of
from inferguard_tui.panels.footer import footer_line
from inferguard_tui.panels.help import help_lines


def test_the_page_of_keys_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "keys.md"
    assert page.read_text("utf-8") == keys_page(), "docs/keys.md is out of date: make docs"


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


def test_the_help_names_the_keys_in_effect_and_the_ids() -> None:
    bindings = bindings_of(PROGRAM_KEYS)
    rows = [text_of(row) for row in help_lines(effective(bindings, {"app.pause": "f5,P"}), 100)]
    row = next(row for row in rows if "monitor goes on" in row)
    assert row.split()[:3] == ["f5", "or", "P"]
    assert row.endswith("app.pause")


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
