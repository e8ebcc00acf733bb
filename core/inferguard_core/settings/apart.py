"""Settings read by a child that ends: for a process that stays, and is measured by what it holds.

Checking settings loads pydantic and pydantic-settings, 12 MiB that nothing needs afterwards and that Python cannot
unload. The child does that while its parent loads what it shows them with, on another core where there is one. It
is a fork, so it must be begun before the process has threads or a loop. Whatever goes wrong in the child is done
over in the parent, which can say what it was.
"""

from __future__ import annotations

import os
import pickle
from functools import partial
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from inferguard_core.settings.model import Settings
    from inferguard_core.settings.problem import SettingsProblem


def begin(overrides: Mapping[str, object], config: Path | None) -> Callable[[], Settings | SettingsProblem]:
    """Start what `loading.load` does with these arguments; calling what is returned, once, waits for its result."""
    here = partial(_load, overrides, config)
    try:
        receiving, sending = os.pipe()
    except OSError:
        return here
    try:
        child = os.fork()
    except OSError:
        os.close(receiving)
        os.close(sending)
        return here
    if child == 0:
        os.close(receiving)
        _send(sending, here)
    os.close(sending)

    def result() -> Settings | SettingsProblem:
        with os.fdopen(receiving, "rb") as sent:
            said = sent.read()
        _, status = os.waitpid(child, 0)
        # It comes from this program's own child over a pipe that nobody else holds.
        loaded: Settings | SettingsProblem = here() if status else pickle.loads(said)  # noqa: S301
        return loaded

    return result


def _load(overrides: Mapping[str, object], config: Path | None) -> Settings | SettingsProblem:
    from inferguard_core.settings.loading import load

    return load(overrides, config)


def _send(sending: int, load: Callable[[], Settings | SettingsProblem]) -> NoReturn:
    """In the child: say it and end, running nothing of what the parent has registered for its own end."""
    code = 1
    try:
        with os.fdopen(sending, "wb") as out:
            pickle.dump(load(), out)
        code = 0
    finally:
        os._exit(code)
