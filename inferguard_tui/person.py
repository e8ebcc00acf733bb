"""Who sits at the keyboard, as far as this host knows: a name in timelines, never an authorisation."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping


def person(environ: Mapping[str, str] | None = None) -> str:
    """The login name; behind sudo that of the person who called it."""
    env = os.environ if environ is None else environ
    if env.get("SUDO_USER"):
        return printable(env["SUDO_USER"], 40)
    try:
        return printable(getpass.getuser(), 40)
    # A container's user may have no name: KeyError until Python 3.12, OSError from then on.
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
