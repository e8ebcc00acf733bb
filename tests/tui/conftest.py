"""The same picture everywhere: no animation, no colours of somebody's own, one time zone."""

from __future__ import annotations

import os
import time

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when Textual is imported
os.environ["TZ"] = "UTC"
time.tzset()
for _name in ("NO_COLOR", "TEXTUAL_THEME"):
    os.environ.pop(_name, None)
