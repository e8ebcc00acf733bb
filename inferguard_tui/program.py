"""The application apart from its frames: the colours, and how a person looks at whatever is shown."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from textual.app import App

from inferguard_tui.panels.span import next_span
from inferguard_tui.panels.view import Watching
from inferguard_tui.terminal import Terminal, detect
from inferguard_tui.theming import BadTheme, chosen_theme, find_themes, token_defaults


class Program(App[None]):
    """Base of the application."""

    def __init__(self, *, theme: str | None = None, terminal: Terminal | None = None) -> None:
        """`theme` None takes the default for this terminal; ValueError, in one line, for one that does not exist."""
        self.terminal = terminal or detect()
        found, self.bad_themes = find_themes()
        good = [each.theme for each in found]
        chosen = chosen_theme(theme, self.terminal.own_palette, good, self.bad_themes)
        if isinstance(chosen, BadTheme):
            raise ValueError(chosen.message)  # noqa: TRY004 - a name is at fault, not a type
        super().__init__(ansi_color=True if self.terminal.own_palette else None)
        for each in good:
            self.register_theme(each)
        self.theme = chosen
        self.watching = Watching()

    @abstractmethod
    def deliver(self) -> None:
        """Give what is shown, and `watching`, to the screens in sight."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return token_defaults(self.current_theme)

    def tell_bad_themes(self) -> None:
        """One toast for each theme file that cannot be used."""
        for bad in self.bad_themes:
            self.notify(bad.message, severity="warning", markup=False)

    def action_window(self, by: int) -> None:
        """Charts over the next longer or shorter span."""
        self.watching = replace(self.watching, span_s=next_span(self.watching.span_s, by))
        self.deliver()
