"""`python -m inferguard_core.coverage DIRECTORY` writes `docs/coverage.md` below DIRECTORY."""

from __future__ import annotations

import sys
from pathlib import Path

from inferguard_core.coverage.page import coverage_page

if __name__ == "__main__":
    target = Path(sys.argv[1]) / "docs" / "coverage.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(coverage_page(), "utf-8")
