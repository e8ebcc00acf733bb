"""Every key, once: screens take their bindings from here, and so do the footer and the help."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType

_EVERYWHERE = Binding.Group("Everywhere")
_REPLAY = Binding.Group("Replay")
_ENDPOINT = Binding.Group("Endpoint")
_SUBJECT = Binding.Group("Endpoint and its incident")
_FLEET = Binding.Group("Fleet")
_INCIDENT = Binding.Group("Incident")
_RECALL = Binding.Group("Past incidents")
_PAST = Binding.Group("Past incident")
_PREVIEW = Binding.Group("Preview of an action")
_INVESTIGATION = Binding.Group("Investigation")
_PROMPT = Binding.Group("A line to write")
_DIALOG = Binding.Group("A page over a screen")
_PICKER = Binding.Group("A list to pick from")
_SEARCH = Binding.Group("Commands by name")


class _Row(NamedTuple):
    """One binding. `footer` is `KEY word` as the footer shows it; empty keeps it out of the footer."""

    keys: str
    action: str
    id: str
    footer: str
    tooltip: str


def _bound(group: Binding.Group, *rows: _Row, priority: bool = False) -> list[BindingType]:
    """Bindings of one screen, which is a group of the help, in the order of the footer."""
    bindings: list[BindingType] = []
    for row in rows:
        display, _, word = row.footer.partition(" ")
        bindings.append(
            Binding(
                row.keys,
                row.action,
                word or row.tooltip,
                show=bool(word),
                key_display=display or None,
                priority=priority,
                tooltip=row.tooltip,
                id=row.id,
                group=group,
            )
        )
    return bindings


PROGRAM_KEYS = [
    *_bound(
        _EVERYWHERE,
        _Row("p", "pause", "app.pause", "p pause", "Stop the view; the monitor goes on"),
        _Row(
            "left_square_bracket", "window(-1)", "app.shorter", "[/] window", "Charts over a shorter window"
        ),
        _Row("right_square_bracket", "window(1)", "app.longer", "", "Charts over a longer window"),
        _Row("t", "theme", "app.theme", "t theme", "Choose colours, tried on as you move"),
        _Row(
            "colon,ctrl+p", "palette", "app.palette", ": commands", "Find by name whatever can be done here"
        ),
        _Row("comma", "settings", "app.settings", "", "Every setting in force and where it comes from"),
        _Row("question_mark", "help", "app.help", "? help", "Show these keys"),
    ),
    *_bound(_EVERYWHERE, _Row("q", "quit", "app.quit", "q quit", "Leave at once")),
    # Before everything else, so that it also leaves while somebody types a q.
    *_bound(_EVERYWHERE, _Row("ctrl+c", "quit", "app.interrupt", "", "Leave at once"), priority=True),
]
NUMBER_KEYS = _bound(
    _EVERYWHERE,
    *(
        _Row(
            str(n),
            f"open_number({n})",
            f"app.open_{n}",
            "1-9 jump" * (n == 1),
            "Open the endpoint of this number",
        )
        for n in range(1, 10)
    ),
)
REPLAY_KEYS = _bound(
    _REPLAY,
    _Row("space", "replay('toggle')", "replay.toggle", "space play", "Play or pause the replay"),
    _Row("left", "replay('seek', -10)", "replay.back", "← -10 s", "Ten seconds back"),
    _Row("right", "replay('seek', 10)", "replay.forward", "→ +10 s", "Ten seconds on"),
    _Row(
        "N",
        "replay('incident', 1)",
        "replay.next_incident",
        "N/P incident",
        "To where the next incident opens",
    ),
    _Row("P", "replay('incident', -1)", "replay.previous_incident", "", "To where the one before opened"),
    _Row(
        "greater_than_sign,full_stop",
        "replay('step', 1)",
        "replay.step",
        "</> step",
        "One poll on, and stand still",
    ),
    _Row(
        "less_than_sign",
        "replay('step', -1)",
        "replay.step_back",
        "",
        "One poll back, and stand still",
    ),
    _Row("shift+left", "replay('seek', -60)", "replay.back_far", "", "A minute back"),
    _Row("shift+right", "replay('seek', 60)", "replay.forward_far", "", "A minute on"),
    _Row("plus,equals_sign", "replay('speed', 2.0)", "replay.faster", "", "Twice the speed"),
    _Row("minus", "replay('speed', 0.5)", "replay.slower", "", "Half the speed"),
)
PANEL_KEYS = _bound(
    _ENDPOINT,
    _Row("enter", "open", "panel.open", "", "Show the chosen panel by itself; the log as an incident"),
)
SUBJECT_KEYS = _bound(
    _SUBJECT,
    _Row("i", "incident", "subject.incident", "i incident", "Show the incident in full"),
    _Row("d", "diagnose", "subject.diagnose", "d diagnose", "Think about this endpoint now"),
    _Row(
        "x", "preview", "subject.preview", "x dry-run", "What an action would send, and what the guards say"
    ),
    _Row("a", "acknowledge", "subject.acknowledge", "a ack", "Say that you are on it; again to take it back"),
    _Row("r", "recall", "subject.recall", "r recall", "Past incidents like this one, or by words"),
    _Row("y", "copy", "subject.copy", "y card", "Copy a hand-off of at most 20 lines, by OSC 52"),
    _Row("c", "dialect", "subject.dialect", "c dialect", "What this engine and version lets us see"),
    _Row("n", "note", "subject.note", "n note", "Write a note into the incident"),
    _Row("s", "snooze", "subject.snooze", "s snooze", "Let it not call for attention for a while"),
    _Row(
        "e", "export", "subject.export", "e export", "Write the incident as Markdown, with a recording of it"
    ),
)
INCIDENT_KEYS = [
    *_bound(
        _INCIDENT,
        _Row("j,down", "scroll(1)", "incident.down", "j/k scroll", "A line down"),
        _Row("k,up", "scroll(-1)", "incident.up", "", "A line up"),
        _Row("pagedown,ctrl+d", "scroll(10)", "incident.page_down", "", "Ten lines down"),
        _Row("pageup,ctrl+u", "scroll(-10)", "incident.page_up", "", "Ten lines up"),
        _Row("g,home", "scroll(-9999)", "incident.top", "", "To the top"),
        _Row("G,end", "scroll(9999)", "incident.bottom", "", "To the bottom"),
        _Row("h", "choose(-1)", "incident.older", "h/l older/newer", "The incident before this one"),
        _Row("l", "choose(1)", "incident.newer", "", "The incident after this one"),
        _Row("escape", "close", "incident.back", "esc back", "Back"),
    ),
]
RECALL_KEYS = [
    *_bound(
        _RECALL,
        _Row("slash", "search", "recall.search", "/ words", "Look for words instead of likeness"),
        _Row("enter", "open", "recall.open", "enter open", "Show the past incident in the panels"),
    ),
    *_bound(
        _RECALL,
        _Row("j,down", "cursor(1)", "recall.down", "j/k move", "Next incident"),
        _Row("k,up", "cursor(-1)", "recall.up", "", "Incident before"),
        _Row("g,home", "cursor(-999)", "recall.first", "", "Best match"),
        _Row("G,end", "cursor(999)", "recall.last", "", "Last match"),
        _Row("escape", "close", "recall.back", "esc back", "Back, or stop searching"),
    ),
]
PAST_KEYS = [
    *_bound(_PAST, _Row("i,enter", "told", "past.told", "i incident", "Show the past incident in full")),
    *_bound(_PAST, _Row("escape", "close", "past.back", "esc back", "Back")),
]
PREVIEW_KEYS = [
    *_bound(
        _PREVIEW,
        _Row(
            "enter", "send", "preview.send", "enter send", "In live mode: send it, after its name was typed"
        ),
        _Row("p", "payload", "preview.payload", "p payload", "Show the body of the request"),
        *(
            _Row(str(n), f"choose({n})", f"preview.choose_{n}", "1-9 other" * (n == 1), "Preview this advice")
            for n in range(1, 10)
        ),
    ),
]
DIAGNOSE_KEYS = _bound(
    _INVESTIGATION, _Row("d", "ask", "diagnose.ask", "d again", "Think about this endpoint once more")
)
PROMPT_KEYS = _bound(
    _PROMPT,
    _Row("enter", "submit", "prompt.enter", "enter done", "Take what is written"),
    _Row("escape", "close", "prompt.close", "esc close", "Close without taking it"),
)
ENDPOINT_KEYS = [
    *_bound(
        _ENDPOINT,
        _Row("j,down", "next_panel", "endpoint.next", "j/k panel", "Choose the next panel"),
        _Row("k,up", "previous_panel", "endpoint.previous", "", "Choose the panel before"),
        _Row("g,home", "first_panel", "endpoint.first", "", "Choose the first panel"),
        _Row("G,end", "last_panel", "endpoint.last", "", "Choose the last panel"),
    ),
    *_bound(
        _ENDPOINT,
        _Row("enter", "incident", "endpoint.incident", "", "Without a chosen panel: show the incident"),
        _Row("z", "zoom", "endpoint.zoom", "z zoom", "Show the chosen panel by itself, with raw metrics"),
    ),
    *_bound(
        _ENDPOINT,
        _Row("escape", "back", "endpoint.back", "esc fleet", "Back to the fleet, or choose no panel"),
    ),
]
FLEET_KEYS = [
    *_bound(
        _FLEET,
        _Row("j,down", "cursor(1)", "fleet.down", "j/k move", "Next endpoint"),
        _Row("k,up", "cursor(-1)", "fleet.up", "", "Endpoint before"),
        _Row("pagedown,ctrl+d", "page(1)", "fleet.page_down", "", "A page down"),
        _Row("pageup,ctrl+u", "page(-1)", "fleet.page_up", "", "A page up"),
        _Row("g,home", "edge(-1)", "fleet.first", "", "First endpoint"),
        _Row("G,end", "edge(1)", "fleet.last", "", "Last endpoint"),
    ),
    *_bound(
        _FLEET,
        _Row("enter", "open", "fleet.open", "enter open", "Open the chosen endpoint"),
        _Row("slash", "filter", "fleet.filter", "/ filter", "Show only rows with these words"),
        _Row("s", "look('sort')", "fleet.sort", "s sort now", "Put the rows in order, now"),
        _Row(
            "S",
            "look('order')",
            "fleet.order",
            "S order",
            "Order by state, KV, queue, TTFT, tokens/s or name",
        ),
        _Row("o", "look('group')", "fleet.group", "o group", "Group by engine, by model, or not"),
        _Row("escape", "look('plain')", "fleet.plain", "", "Show all rows again"),
    ),
]
CLOSE_KEYS = [
    *_bound(_DIALOG, _Row("escape,z,question_mark", "close", "dialog.close", "esc close", "Close")),
    *_bound(
        _DIALOG,
        _Row("j,down", "scroll(1)", "dialog.down", "j/k scroll", "A line down"),
        _Row("k,up", "scroll(-1)", "dialog.up", "", "A line up"),
        _Row("pagedown,ctrl+d", "scroll(20)", "dialog.page_down", "", "A page down"),
        _Row("pageup,ctrl+u", "scroll(-20)", "dialog.page_up", "", "A page up"),
        _Row("g,home", "scroll(-9999)", "dialog.top", "", "To the top"),
        _Row("G,end", "scroll(9999)", "dialog.bottom", "", "To the bottom"),
    ),
]


PICKER_KEYS = [
    *_bound(
        _PICKER,
        _Row("j,down", "move(1)", "picker.down", "j/k move", "Next entry"),
        _Row("k,up", "move(-1)", "picker.up", "", "Entry before"),
        _Row("pagedown,ctrl+d", "move(10)", "picker.page_down", "", "Ten entries down"),
        _Row("pageup,ctrl+u", "move(-10)", "picker.page_up", "", "Ten entries up"),
        _Row("g,home", "move(-9999)", "picker.first", "", "First entry"),
        _Row("G,end", "move(9999)", "picker.last", "", "Last entry"),
    ),
    *_bound(
        _PICKER,
        _Row("enter", "take", "picker.take", "enter take", "Take this one"),
        _Row("t", "next", "picker.next", "t next", "On to the next one, round and round"),
        _Row("escape", "close", "picker.close", "esc cancel", "Leave everything as it was"),
    ),
]
SEARCH_KEYS = [
    *_bound(
        _SEARCH,
        _Row("down,ctrl+n", "move(1)", "search.down", "↓/↑ move", "Next entry"),
        _Row("up,ctrl+p", "move(-1)", "search.up", "", "Entry before"),
        _Row("pagedown", "move(10)", "search.page_down", "", "Ten entries down"),
        _Row("pageup", "move(-10)", "search.page_up", "", "Ten entries up"),
    ),
    *_bound(
        _SEARCH,
        _Row("enter", "take", "search.take", "enter do it", "Do this"),
        _Row("escape", "close", "search.close", "esc close", "Close without doing anything"),
    ),
]


def every_binding() -> list[Binding]:
    """All of them, in the order above."""
    lists = (keys for name, keys in globals().items() if name.endswith("_KEYS"))
    return [binding for keys in lists for binding in bindings_of(keys)]


def bindings_of(keys: list[BindingType]) -> list[Binding]:
    """The same list, as the type it holds."""
    return [key for key in keys if isinstance(key, Binding)]
