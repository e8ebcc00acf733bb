"""One look at a scene: each number is worked out once, however many conditions rest on it.

A look lasts for one poll. Where the engine does not serve (no answer, or frozen), its gauges are last words and
its rates are silence, so everything about load is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.diagnose.prelude import monotonic
from inferguard_core.diagnose.quantities import QUANTITIES
from inferguard_core.diagnose.stretch import Stretch, stretch
from inferguard_core.verdict import Condition, Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.diagnose.prelude import Prelude
    from inferguard_core.diagnose.shapes import Crash
    from inferguard_core.frame import Anomaly
    from inferguard_core.reading import Engine
    from inferguard_core.scene import Scene
    from inferguard_core.signals import Signal
    from inferguard_core.window import Window

WALK_STEP_S = 5.0
WALK_S = 180.0
"""How far back a condition's beginning is looked for."""
BESIDE_S = 35.0
BESIDE_MIN_S = 10.0
SILENT = ("endpoint_down", "stall")


class Look:
    """A scene with what is remembered of its episode. `known` holds the conditions judged so far."""

    def __init__(
        self,
        scene: Scene,
        prelude: Prelude | None = None,
        crashes: tuple[Crash, ...] = (),
        onsets: Mapping[str, float] | None = None,
    ) -> None:
        """`onsets` are those already known of conditions that held before."""
        self.scene = scene
        self.prelude = prelude
        self.crashes = crashes
        self.engine: Engine = scene.situation.engine
        self.active: Mapping[str, Anomaly] = {a.kind: a for a in scene.anomalies}
        self.window: Window | None = scene.window if self._serving() else None
        self.known: dict[str, Condition] = {}
        self._baselines = {str(key): b for key, b in scene.situation.baselines.items()}
        self._onsets = onsets or {}
        self._spans: dict[float, Stretch | None] = {}
        self._beside: dict[tuple[str, float], tuple[float, float] | None] = {}
        self._now: dict[str, float | None] = {}

    def _serving(self) -> bool:
        hot = (k for k in SILENT if (f := self.scene.findings.get(k)) is not None and f.hot)
        return not any(hot) and "endpoint_down" not in self.active

    def last(self, seconds: float) -> Stretch | None:
        """The newest `seconds`, None while the engine does not serve."""
        if seconds not in self._spans:
            window = self.window
            self._spans[seconds] = (
                None if window is None else stretch(window.history, window.now - seconds, window.now)
            )
        return self._spans[seconds]

    def now(self, name: str) -> float | None:
        """A quantity over its own window."""
        if name not in self._now:
            quantity = QUANTITIES[name]
            span = self.last(quantity.window_s)
            self._now[name] = None if span is None else quantity.ask(span, self.engine)
        return self._now[name]

    def before(self, name: str) -> float | None:
        """Its learnt normal, else its level before the onset."""
        baseline = self._baselines.get(name)
        centre = baseline.centre if baseline is not None else None
        if centre is not None:
            return centre
        level = self.prelude.before.get(name) if self.prelude is not None else None
        return level.value if level is not None else None

    def since(self, condition: str, name: str, limit: float, *, above: bool = True) -> float | None:
        """When a condition that holds began: as remembered, else since when `name` lies beyond `limit`.

        Unix time, looked for backwards in steps of `WALK_STEP_S`.
        """
        if condition in self._onsets:
            return self._onsets[condition]
        window, quantity = self.window, QUANTITIES[name]
        if window is None:
            return None
        began = end = window.now
        while end > window.now - WALK_S:
            span = stretch(window.history, end - 2 * WALK_STEP_S, end)
            value = None if span is None else quantity.ask(span, self.engine)
            if span is None or value is None or (value < limit if above else value > limit):
                break
            began, end = span.first.t, end - WALK_STEP_S
        return self.unix(began)

    def unix(self, t: float) -> float:
        newest = self.scene.window.newest if self.scene.window is not None else None
        return self.scene.unix if newest is None else newest.unix - (newest.t - t)

    def t(self, unix: float) -> float | None:
        return None if self.scene.window is None else monotonic(self.scene.window, unix)

    def holds(self, condition: str) -> bool | None:
        """What has been judged of another condition by now."""
        found = self.known.get(condition)
        return found.holds if found is not None else None

    def evidence(
        self, name: str, value: float | None, threshold: float | None = None, baseline: float | None = None
    ) -> Evidence:
        quantity = QUANTITIES[name]
        source = self.scene.situation.source(*quantity.signals)
        return Evidence(name, value, quantity.unit, threshold, baseline, quantity.window_s, source=source)

    def beside(self, name: str, at: float) -> tuple[float, float] | None:
        """A quantity over the half minute before `at` (monotonic) and over the one after; None while unknown."""
        key = (name, at)
        if key not in self._beside:
            self._beside[key] = self._both_sides(name, at)
        return self._beside[key]

    def _both_sides(self, name: str, at: float) -> tuple[float, float] | None:
        if self.window is None:
            return None
        earlier = stretch(self.window.history, at - BESIDE_S, at - WALK_STEP_S)
        later = stretch(self.window.history, at + WALK_STEP_S, at + BESIDE_S)
        if earlier is None or later is None or later.seconds < BESIDE_MIN_S:
            return None
        ask = QUANTITIES[name].ask
        first, second = ask(earlier, self.engine), ask(later, self.engine)
        return None if first is None or second is None else (first, second)

    def told(self, label: str) -> str | None:
        """A configured value, where the page or the server's own routes show it."""
        page = self.scene.reading.info.get(label) if self.scene.reading is not None else None
        return page if page is not None else self.scene.facts.config.get(label)

    def gauge(self, signal: Signal) -> float | None:
        """The newest value."""
        return None if self.window is None else self.window.latest(signal)


def unknown(condition: str, words: str) -> Condition:
    return Condition(condition, None, f"{words} (unknown)")


def threshold(
    look: Look, condition: str, name: str, limit: float, *, above: bool = True, words: str = ""
) -> Condition:
    """A quantity against a fixed limit."""
    quantity, value = QUANTITIES[name], look.now(name)
    statement = words or f"{quantity.words} {'≥' if above else '<'} {quantity.shown(limit)}"
    if value is None:
        return unknown(condition, statement)
    holds = value >= limit if above else value < limit
    return Condition(
        condition,
        holds,
        f"{statement} ({quantity.shown(value)})",
        (look.evidence(name, value, limit),),
        look.since(condition, name, limit, above=above) if holds else None,
    )


def times(look: Look, condition: str, name: str, factor: float) -> Condition:
    """A quantity against a multiple of what it was before; of at least its floor, lest noise be a multiple."""
    quantity, value, before = QUANTITIES[name], look.now(name), look.before(name)
    statement = f"{quantity.words} {'≥' if factor > 1 else '≤'} {factor:g}x before"
    if value is None or before is None:
        return unknown(condition, statement)
    limit = factor * before
    beyond = value >= limit if factor > 1 else value <= limit
    holds = beyond and abs(value - before) >= quantity.floor
    return Condition(
        condition,
        holds,
        f"{statement} ({quantity.shown(before)} → {quantity.shown(value)})",
        (look.evidence(name, value, limit, before),),
        look.since(condition, name, limit, above=factor > 1) if holds else None,
    )


def anomalous(look: Look, condition: str, kind: str, words: str) -> Condition:
    """A rule's own verdict; unknown where the rule is blind."""
    anomaly, finding = look.active.get(kind), look.scene.findings.get(kind)
    if anomaly is not None:
        text = f"{words} ({anomaly.summary})" if anomaly.summary else words
        return Condition(condition, True, text, anomaly.evidence, anomaly.onset_unix)
    if finding is None or finding.hot is None:
        return unknown(condition, words)
    return Condition(condition, False, f"{words} (no)", finding.evidence)
