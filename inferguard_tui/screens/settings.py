"""The settings in force, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.panels.settings import settings_lines
from inferguard_tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from inferguard_core.settings import Settings
    from inferguard_tui.line import Line


class SettingsScreen(Dialog):
    """Shows `settings`; nothing here changes one."""

    def __init__(self, settings: Settings, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self._settings = settings

    def content(self, cells: int) -> tuple[Line, ...]:
        return settings_lines(self._settings, cells)
