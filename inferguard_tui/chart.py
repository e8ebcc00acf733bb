"""Line charts by plotext, on a figure of our own.

plotext keeps one public figure and its kernel is not thread-safe: draw only on the interface's thread. It is
slow to import, so `load` is called once something is already on screen, and a machine where its kernel does not
load goes without: panels then draw blocks.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

THRESHOLD_CELL = "─"
CONE_CELL = "·"
"""Of what is expected: never to be taken for what was measured."""
Values = Sequence[float | None]


class Raster(Protocol):
    """Draws values from 0 to 1 as `height` rows, a character each; `cone` holds lines of what is expected."""

    def rows(
        self,
        values: Values,
        height: int,
        threshold: float | None,
        cone: Sequence[Values] = (),
        *,
        ascii_only: bool,
    ) -> tuple[str, ...]: ...


def load() -> Raster | None:
    """A raster, or None where plotext cannot run. Only the import may happen on another thread."""
    try:
        kernel = _kernel()
    # A shared library that does not suit the machine fails as OSError, a broken install as ImportError.
    except (ImportError, OSError):
        return None
    # The public `plotext.figure` is one for the whole process; a terminal of our own holds another.
    terminal = kernel.terminal()
    terminal.limit(False, False)
    return PlotextRaster(terminal._master)  # noqa: SLF001 - there is no public way to a second figure


def _kernel() -> Any:
    """What draws, without the package around it, whose documentation and effects are half of what it costs."""
    spec = find_spec("plotext")
    if spec is not None and "plotext" not in sys.modules:
        # Found in sys.modules, it is not executed when its parts are imported.
        sys.modules["plotext"] = module_from_spec(spec)
    try:
        return import_module("plotext._kernel.terminal")
    except ImportError:
        # Parts that want the whole get it.
        for name in [name for name in sys.modules if name.partition(".")[0] == "plotext"]:
            del sys.modules[name]
        return import_module("plotext._kernel.terminal")


class PlotextRaster:
    """One plotext figure, redrawn only when what it shows or its size changed."""

    def __init__(self, figure: Any) -> None:
        self._figure = figure
        self._key: object = None
        self._rows: tuple[str, ...] = ()

    def rows(
        self,
        values: Values,
        height: int,
        threshold: float | None,
        cone: Sequence[Values] = (),
        *,
        ascii_only: bool,
    ) -> tuple[str, ...]:
        key = (tuple(values), height, threshold, tuple(map(tuple, cone)), ascii_only)
        if key != self._key:
            marked = ((values, "*" if ascii_only else "braille"), *((each, CONE_CELL) for each in cone))
            self._rows = self._drawn(marked, height, threshold)
            self._key = key
        return self._rows

    def _drawn(
        self, marked: Sequence[tuple[Values, str]], height: int, threshold: float | None
    ) -> tuple[str, ...]:
        width, figure = len(marked[0][0]), self._figure
        # What is set below is set anew each time. All of `clear` would load the rest of plotext, with its tests,
        # for the size of a terminal that is not drawn on: 1 MiB.
        figure.clear.data()
        figure.plot_size(width, height)
        figure.theme("colorless")
        figure.axes(False)
        figure.ruler("both", "both").frequency(0)
        figure.ruler("x").lim(0, max(1, width - 1))
        figure.ruler("y").lim(0, 1)
        # What was measured last: where both fall into one cell it is what shows.
        for values, marker in reversed(marked):
            for xs, ys in _runs(values):
                figure.draw(figure.signal(xs, ys, marker=marker).lines(True))
        if threshold is not None:
            figure.line(threshold)
        text: str = figure.build().string(colorless=True)
        rows = [row.ljust(width)[:width] for row in text.split("\n")[:height]]
        return tuple(rows + [" " * width] * (height - len(rows)))


def _runs(values: Sequence[float | None]) -> Iterator[tuple[list[int], list[float]]]:
    """Stretches without a gap, so that no line is drawn across missing data."""
    xs: list[int] = []
    ys: list[float] = []
    for x, value in enumerate(values):
        if value is not None:
            xs.append(x)
            ys.append(min(max(value, 0.0), 1.0))
        elif xs:
            yield xs, ys
            xs, ys = [], []
    if xs:
        yield xs, ys
