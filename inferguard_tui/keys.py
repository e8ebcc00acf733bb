"""Every key, once: screens take their bindings from here, and so do the footer and the help.

A binding with `show` is named in the footer, in this order; `group` says which part of the help it stands in.
"""

from __future__ import annotations

from textual.binding import Binding

_MOVE = Binding.Group("Move")
_LOOK = Binding.Group("Look")
_REPLAY = Binding.Group("Replay")
_PROGRAM = Binding.Group("Program")

PROGRAM_KEYS: list[Binding] = [
    Binding("p", "pause", "pause", id="app.pause", tooltip="Stop the view; the monitor goes on", group=_PROGRAM),
    Binding("question_mark", "help", "help", key_display="?", id="app.help", tooltip="Show these keys", group=_PROGRAM),
    Binding("q", "quit", "quit", id="app.quit", tooltip="Leave at once", group=_PROGRAM, priority=True),
    Binding("ctrl+c", "quit", "quit", id="app.interrupt", tooltip="Leave at once", group=_PROGRAM, priority=True, show=False),
]

REPLAY_KEYS: list[Binding] = [
    Binding("space", "replay_toggle", "play", id="replay.toggle", tooltip="Play or pause the replay", group=_REPLAY),
    Binding("left", "replay_seek(-10)", "-10 s", key_display="←", id="replay.back", tooltip="Ten seconds back", group=_REPLAY),
    Binding("right", "replay_seek(10)", "+10 s", key_display="→", id="replay.forward", tooltip="Ten seconds on", group=_REPLAY),
    Binding("shift+left", "replay_seek(-60)", "-60 s", key_display="shift ←", id="replay.back_far", tooltip="A minute back", group=_REPLAY, show=False),
    Binding("shift+right", "replay_seek(60)", "+60 s", key_display="shift →", id="replay.forward_far", tooltip="A minute on", group=_REPLAY, show=False),
    Binding("plus,equals_sign", "replay_speed(2.0)", "faster", key_display="+", id="replay.faster", tooltip="Twice the speed", group=_REPLAY, show=False),
    Binding("minus", "replay_speed(0.5)", "slower", key_display="-", id="replay.slower", tooltip="Half the speed", group=_REPLAY, show=False),
]

PANEL_KEYS: list[Binding] = [
    Binding("enter", "zoom", "zoom", id="panel.zoom", tooltip="Show the chosen panel by itself", group=_LOOK, show=False),
]

ENDPOINT_KEYS: list[Binding] = [
    Binding("j,down", "next_panel", "panel", key_display="j/k", id="endpoint.next", tooltip="Choose the next panel", group=_MOVE),
    Binding("k,up", "previous_panel", "previous panel", key_display="k", id="endpoint.previous", tooltip="Choose the panel before", group=_MOVE, show=False),
    Binding("g,home", "first_panel", "first panel", key_display="g", id="endpoint.first", tooltip="Choose the first panel", group=_MOVE, show=False),
    Binding("G,end", "last_panel", "last panel", key_display="G", id="endpoint.last", tooltip="Choose the last panel", group=_MOVE, show=False),
    Binding("z", "zoom", "zoom", id="endpoint.zoom", tooltip="Show the chosen panel by itself, with raw metrics", group=_LOOK),
    Binding("escape", "back", "fleet", key_display="esc", id="endpoint.back", tooltip="Back to the fleet, or choose no panel", group=_MOVE),
]

FLEET_KEYS: list[Binding] = [
    Binding("j,down", "cursor(1)", "move", key_display="j/k", id="fleet.down", tooltip="Next endpoint", group=_MOVE),
    Binding("k,up", "cursor(-1)", "up", key_display="k", id="fleet.up", tooltip="Endpoint before", group=_MOVE, show=False),
    Binding("pagedown,ctrl+d", "page(1)", "page down", key_display="pgdn", id="fleet.page_down", tooltip="A page down", group=_MOVE, show=False),
    Binding("pageup,ctrl+u", "page(-1)", "page up", key_display="pgup", id="fleet.page_up", tooltip="A page up", group=_MOVE, show=False),
    Binding("g,home", "edge(-1)", "first", key_display="g", id="fleet.first", tooltip="First endpoint", group=_MOVE, show=False),
    Binding("G,end", "edge(1)", "last", key_display="G", id="fleet.last", tooltip="Last endpoint", group=_MOVE, show=False),
    Binding("enter", "open", "open", id="fleet.open", tooltip="Open the chosen endpoint", group=_LOOK),
    Binding("s", "sort", "sort", id="fleet.sort", tooltip="Put the worst first, now", group=_LOOK),
]

NUMBER_KEYS: list[Binding] = [
    Binding(str(n), f"open_number({n})", "open", key_display="1-9", id=f"app.open_{n}", tooltip="Open the endpoint with this number", group=_LOOK, show=n == 1)
    for n in range(1, 10)
]

CLOSE_KEYS: list[Binding] = [
    Binding("escape,z,question_mark", "close", "close", key_display="esc", id="dialog.close", tooltip="Close", group=_PROGRAM),
    Binding("j,down", "scroll(1)", "scroll", key_display="j/k", id="dialog.down", tooltip="A line down", group=_MOVE),
    Binding("k,up", "scroll(-1)", "up", key_display="k", id="dialog.up", tooltip="A line up", group=_MOVE, show=False),
    Binding("pagedown,ctrl+d", "scroll(20)", "page down", key_display="pgdn", id="dialog.page_down", tooltip="A page down", group=_MOVE, show=False),
    Binding("pageup,ctrl+u", "scroll(-20)", "page up", key_display="pgup", id="dialog.page_up", tooltip="A page up", group=_MOVE, show=False),
    Binding("g,home", "scroll(-9999)", "top", key_display="g", id="dialog.top", tooltip="To the top", group=_MOVE, show=False),
    Binding("G,end", "scroll(9999)", "bottom", key_display="G", id="dialog.bottom", tooltip="To the bottom", group=_MOVE, show=False),
]


def key_text(binding: Binding) -> str:
    """The key as a person reads it."""
    return binding.key_display or binding.key.partition(",")[0]
