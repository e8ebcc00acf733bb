"""Numbers and times as a person reads them. None is unknown and reads `—`; zero reads `0`.

Widths hardly change with the value, so that a figure which moves does not move its neighbours.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from inferguard_core.counted import COUNTS
from inferguard_core.printable import printable
from inferguard_tui.glyphs import UNKNOWN

if TYPE_CHECKING:
    from inferguard_core.frame import Measure

_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def amount(value: float | None) -> str:
    """A count or a rate in three digits: `940`, `1.8 k`, `18.2 k`, `3.1 M`."""
    if value is None:
        return UNKNOWN
    for scale, suffix in _SCALES:
        # 999.6 would print as 1000.
        if abs(value) >= scale * 0.9995:
            scaled = value / scale
            return f"{scaled:.0f} {suffix}" if abs(scaled) >= 99.95 else f"{scaled:.1f} {suffix}"
    if value == int(value):
        return f"{int(value)}"
    return f"{value:.0f}" if abs(value) >= 99.5 else f"{value:.1f}" if abs(value) >= 0.95 else f"{value:.2f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A ratio as a percentage: `97.9%`."""
    return UNKNOWN if value is None else f"{value * 100:.{digits}f}%"


def seconds(value: float | None) -> str:
    """A latency: `8.4 ms`, `185 ms`, `3.10 s`, `12.4 s`, `3 m 12 s`."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "0 s"
    if value < 0.00995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 99.95 else duration(value)


def short_count(n: float | None) -> str:
    """How many, in four cells: `372`, `9999`, `12 k`, `123k`, `1 M`."""
    if n is None:
        return ""
    if n < 9_999.5:
        return f"{n:.0f}"
    # The borders are where rounding would need a cell more.
    if n < 999_500:
        return f"{n / 1e3:.0f} k" if n < 99_500 else f"{n / 1e3:.0f}k"
    return f"{n / 1e6:.0f} M"


def duration(value: float | None) -> str:
    """How long something has gone on: `48 s`, `3 m 12 s`, `1 h 04 m`, `2 d 03 h`."""
    if value is None:
        return UNKNOWN
    whole = max(0, int(value))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def about(ahead_s: float) -> str:
    """About when: `now`, `~45 s`, `~6 min`, `~2 h`; a forecast knows no seconds of its minutes."""
    if ahead_s <= 0:
        return "now"
    if ahead_s < 119.5:
        return f"~{ahead_s:.0f} s"
    return f"~{ahead_s / 60:.0f} min" if ahead_s < 59.5 * 60 else f"~{ahead_s / 3600:.0f} h"


def whole_age(value: float) -> str:
    """How old something is; tenths would change with every frame and tell nothing."""
    return "< 1 s" if value < 1 else duration(value)


def rate(value: float | None) -> str:
    """Events per second, per minute where that reads better: `2.4 /s`, `3.0 /min`."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "0 /s"
    return f"{amount(value)} /s" if value >= 0.095 else f"{amount(value * 60)} /min"


def interval(value: float) -> str:
    """A poll interval: `2 s`, `0.5 s`."""
    return f"{value:g} s"


def clock(unix: float) -> str:
    """Local time of day, `03:12:44`."""
    return datetime.fromtimestamp(unix).astimezone().strftime("%H:%M:%S")


def day(unix: float) -> str:
    """Local date, `2023-11-14`."""
    return datetime.fromtimestamp(unix).astimezone().strftime("%Y-%m-%d")


def quantity(value: float | None, unit: str) -> str:
    """A value in one of a Frame's units."""
    if unit == "ratio":
        return percent(value)
    if unit == "seconds":
        return seconds(value)
    if unit in ("requests/s", "1/s"):
        return rate(value)
    if unit == "tokens/s" and value is not None:
        return f"{amount(value)} tok/s"
    if unit == "tokens" and value is not None:
        return f"{amount(value)} tok"
    return amount(value)


def parameter(name: str, given: float | str) -> str:
    """What an action is given: a text as it is, a count whole."""
    if isinstance(given, str):
        return printable(given, 40)
    if abs(given) >= 1000:
        return amount(given)
    return f"{given:.0f}" if name in COUNTS else f"{given:g}"


def measured(measure: Measure | None) -> str:
    """A measure's value in its unit; a bound says so: one beyond the engine's last bucket reads `≥ 10.0 s`."""
    if measure is None:
        return UNKNOWN
    text = quantity(measure.value, measure.unit)
    if measure.value is None or not measure.why_unknown:
        return text
    if measure.why_unknown.startswith("at most"):
        return f"≤ {text}"
    # A bucket's end is a round number of seconds; minutes would only make it longer.
    return f"≥ {measure.value:.0f} s" if measure.unit == "seconds" and measure.value >= 99.5 else f"≥ {text}"


def window(measure: Measure | None) -> str:
    """The window of a measure and its sample count: `60 s, n 412`."""
    if measure is None or measure.window_s is None:
        return ""
    counted = "" if measure.n is None else f", n {measure.n}"
    return f"{measure.window_s:.0f} s{counted}"
