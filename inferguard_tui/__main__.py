"""`inferguard` and `python -m inferguard_tui`."""

from __future__ import annotations

import sys

from inferguard_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
