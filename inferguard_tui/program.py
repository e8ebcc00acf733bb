"""The application apart from its frames: colours, keys, and how a person looks at whatever is shown."""

from __future__ import annotations

import signal
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import App

from inferguard_tui import caches
from inferguard_tui.keymap import effective, in_words, key_name
from inferguard_tui.keys import every_binding
from inferguard_tui.messages import FleetOrdered
from inferguard_tui.panels.span import next_span
from inferguard_tui.panels.view import Watching
from inferguard_tui.remembered import Remembered, save
from inferguard_tui.screens.frame_screen import FrameScreen
from inferguard_tui.terminal import Terminal, detect
from inferguard_tui.theming import DARK, OWN_PALETTE, BadTheme, chosen_theme, find_themes, token_defaults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from inferguard_core.settings import Settings
    from inferguard_tui.ending import Ending


TERMINAL_CHECK_S = 5.0
OPENS_A_DIALOG = frozenset({"help", "palette", "settings", "theme"})
"""Actions of the application that do not work while a dialog is open."""
NOT_IN_PALETTE = frozenset({"app.palette", "app.interrupt"})
"""Itself, and what `app.quit` does as well."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a person set and left behind."""

    keymap: Mapping[str, str] = field(default_factory=dict)
    """Checked, as `keymap.read_keymap` makes it."""
    settings: Settings | None = None
    """To show; the screen itself takes nothing from it."""
    state_dir: Path | None = None
    """Where the view is remembered; None: nowhere."""
    remembered: Remembered = field(default_factory=Remembered)


class Program(App[None]):
    """Base of the application."""

    def __init__(
        self, *, theme: str | None = None, terminal: Terminal | None = None, setup: Setup | None = None
    ) -> None:
        """`theme` None takes the one remembered, else the default for this terminal.

        So does one that does not exist, which is told: colours that are gone must keep nobody from the numbers.
        """
        self.terminal = terminal or detect()
        self.setup = setup or Setup()
        self.themes, self.bad_themes = find_themes()
        good = {each.theme.name: each.theme for each in self.themes}
        # One that was removed since is no mistake of the person who starts this.
        wanted = theme or (self.setup.remembered.theme if self.setup.remembered.theme in good else None)
        chosen = chosen_theme(wanted, self.terminal.own_palette, good.values(), self.bad_themes)
        self.no_theme: BadTheme | None = None
        """What was asked for and does not exist."""
        if isinstance(chosen, BadTheme):
            self.no_theme = chosen
            self.bad_themes = (*self.bad_themes, chosen)
            chosen = OWN_PALETTE if self.terminal.own_palette else DARK
        super().__init__(ansi_color=True if self.terminal.own_palette else None)
        for each in good.values():
            self.register_theme(each)
        self.theme = chosen
        self.set_keymap(dict(self.setup.keymap))
        self.remembered = self.setup.remembered
        self.watching = Watching(span_s=self.remembered.window_s)
        self.ending: Ending | None = None
        self.crashed: Exception | None = None
        """What nothing caught: whoever runs this writes it down."""

    @abstractmethod
    def deliver(self) -> None:
        """Give what is shown, and `watching`, to the screens in sight."""

    def on_mount(self) -> None:
        self.set_interval(TERMINAL_CHECK_S, self._check_terminal)
        self.set_interval(caches.EVERY_S, caches.forget_texts)

    def _check_terminal(self) -> None:
        # Where hang-ups are ignored, nothing else says that nobody looks any more.
        if self.ending is not None and self.ending.is_unseen():
            self.ending.ask(128 + signal.SIGHUP)

    def leave(self, code: int) -> None:
        """End with an exit code; from a signal handler too."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(partial(self.exit, return_code=code))

    def _handle_exception(self, error: Exception) -> None:
        # Textual's own prints the values of variables, and with them what no terminal should show.
        self.crashed = self.crashed or error
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return token_defaults(self.current_theme)

    def remember(self, **view: str | float) -> None:
        """Keep these fields of `Remembered` for the next run."""
        self.remembered = replace(self.remembered, **view)  # type: ignore[arg-type]
        if self.setup.state_dir is not None:
            save(self.setup.state_dir, self.remembered)

    @on(FleetOrdered)
    def keep_order(self, message: FleetOrdered) -> None:
        self.remember(sort=message.sort)

    def tell_bad_themes(self) -> None:
        """One toast for each theme file that cannot be used."""
        for bad in self.bad_themes:
            self.notify(bad.message, severity="warning", markup=False)

    def action_window(self, by: int) -> None:
        """Charts over the next longer or shorter span."""
        span_s = next_span(self.watching.span_s, by)
        if isinstance(self.screen, FrameScreen):
            end = "the longest there is" if by > 0 else "the shortest there is"
            self.screen.answer(end if span_s == self.watching.span_s else "")
        self.watching = replace(self.watching, span_s=span_s)
        self.remember(window_s=self.watching.span_s)
        self.deliver()

    def action_theme(self) -> None:
        from inferguard_tui.screens.themes import ThemePicker

        own = self.terminal.own_palette
        shown = [each for each in self.themes if each.theme.ansi or not own]
        self.push_screen(
            ThemePicker(shown, self.theme, self._keep_theme, ascii_only=self.terminal.ascii_only)
        )

    def _keep_theme(self, name: str) -> None:
        self.theme = name
        self.remember(theme=name)

    def action_settings(self) -> None:
        from inferguard_tui.screens.settings import SettingsScreen

        if self.setup.settings is not None:
            self.push_screen(SettingsScreen(self.setup.settings, ascii_only=self.terminal.ascii_only))

    def action_palette(self) -> None:
        """Everything that can be done here, found by name."""
        from inferguard_tui.screens.picker import Choice, Search

        # What is bound here and now. Textual's own bindings, which are in no group, move a focus that nothing needs.
        here = {
            b.binding.id: b
            for b in self.screen.active_bindings.values()
            if b.enabled and b.binding.id and b.binding.group and b.binding.id not in NOT_IN_PALETTE
        }
        # What the key line names comes before what moves a cursor; an enter too early must not end the program.
        order = sorted(here, key=lambda n: (here[n].binding.action == "quit", not here[n].binding.show))
        plain = self.terminal.ascii_only
        named = {
            b.id: " or ".join(map(key_name, b.key.split(",")))
            for b in effective(every_binding(), self.setup.keymap)
        }
        keys = {name: in_words(text) if plain else text for name, text in named.items()}
        # Found also by the word of the key line and by the id: `snooze`, `window`, `dry-run` are in no sentence.
        choices = [
            Choice(name, b.tooltip, keys.get(name, ""), f"{b.description} {name}")
            for name in order
            for b in (here[name].binding,)
        ]
        run = {name: partial(self.run_action, b.binding.action, b.node) for name, b in here.items()}

        def taken(name: str) -> None:
            self.call_later(run[name])

        self.push_screen(Search("Commands", choices, taken, ascii_only=plain))
