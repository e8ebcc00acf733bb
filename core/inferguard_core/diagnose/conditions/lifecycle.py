"""Whether the engine is there, moves, and is the process it was; and whether calls fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.diagnose.look import anomalous, unknown
from inferguard_core.diagnose.quantities import hung_up
from inferguard_core.diagnose.shapes import seen_with
from inferguard_core.signals import Signal
from inferguard_core.verdict import Condition, Evidence

if TYPE_CHECKING:
    from inferguard_core.diagnose.look import Look
    from inferguard_core.diagnose.shapes import Crash

ERROR_WINDOW_S = 60.0
ERROR_SHARE = 0.05
ERROR_MIN = 5.0
"""As for the rule on errors."""
SILENT = {"down": "no answer", "stalled": "frozen"}
RECENT_S = 600.0
SLOWNESS = ("queued", "ttft_up", "itl_tail_up", "itl_up")
"""What a client feels that waits for a whole answer."""


def down(look: Look) -> Condition:
    return anomalous(look, "down", "endpoint_down", "the endpoint does not answer")


def stalled(look: Look) -> Condition:
    return anomalous(look, "stalled", "stall", "no progress while requests are there")


def restarted(look: Look) -> Condition:
    """Another process answers, within this episode."""
    found = anomalous(look, "restarted", "engine_restart", "another process answers")
    window, prelude = look.scene.window, look.prelude
    if found.holds or window is None or prelude is None:
        return found
    onset = look.t(prelude.onset_unix)
    since = [t for t in window.history.restarts if onset is not None and t >= onset - 1.0]
    if not since:
        return found
    row = Evidence("restarts", float(len(since)), "1", 1.0)
    return Condition(
        "restarted", True, f"another process answers ({len(since)})", (row,), look.unix(since[0])
    )


def not_serving(look: Look) -> Condition:
    """Gone, frozen, or a new process: then load is a witness and not a cause."""
    for condition in ("down", "stalled", "restarted"):
        found = look.known[condition]
        if found.holds:
            return Condition("not_serving", True, found.text, found.evidence, found.onset_unix)
    holds = False if look.holds("down") is False or look.window is not None else None
    return Condition("not_serving", holds, "the engine does not serve (no)")


def asleep(look: Look) -> Condition:
    """Put to sleep, or still loading: a standstill that is meant."""
    awake = look.scene.window.latest(Signal.AWAKE) if look.scene.window is not None else None
    if awake is not None:
        return Condition("asleep", awake == 0, f"sleep state ({'awake' if awake else 'asleep'})")
    return unknown("asleep", "sleep state")


def loading(look: Look) -> Condition:
    """No token since the process began, and it began just now."""
    window = look.scene.window
    start = window.latest(Signal.PROCESS_START) if window is not None else None
    tokens = (
        look.scene.reading.values.get(Signal.GENERATION_TOKENS) if look.scene.reading is not None else None
    )
    if window is None or start is None or tokens is None:
        return unknown("loading", "weights still loading")
    age = window.newest.unix - start
    holds = tokens == 0 and age < RECENT_S
    return Condition("loading", holds, f"weights still loading ({age:.0f} s old, {tokens:.0f} tokens made)")


def _last_crash(look: Look) -> Crash | None:
    return look.crashes[-1] if look.crashes else None


def _fatal(look: Look) -> list[Crash]:
    return [crash for crash in look.crashes if not crash.drained]


def drained(look: Look) -> Condition:
    """Idle to the end after traffic: someone emptied it before stopping it."""
    crash = _last_crash(look)
    if crash is None or crash.drained is None:
        return unknown("drained", "drained before the restart")
    state = "idle" if crash.drained else "requests were running or waiting"
    return Condition("drained", crash.drained, f"drained before the restart ({state})")


def quiet_crash(look: Look) -> Condition:
    crash = _last_crash(look)
    if crash is None or crash.traffic is None:
        return unknown("quiet_crash", "no traffic before it went")
    return Condition(
        "quiet_crash",
        not crash.traffic,
        f"no traffic before it went ({'traffic' if crash.traffic else 'none'})",
    )


def crashed_twice(look: Look) -> Condition:
    """Drains are not counted: someone meant them."""
    fatal = _fatal(look)
    count = len(fatal)
    row = Evidence("crashes", float(count), "1", 2.0)
    onset = fatal[0].unix if count >= 2 else None
    return Condition("crashed_twice", count >= 2, f"went down at least twice ({count})", (row,), onset)


def same_shape(look: Look) -> Condition:
    """The same outlying request shape in the last minute of two or more.

    Not known while it stood out before at least half of them: the request that killed an engine never finished,
    so that nobody saw it before the others denies nothing.
    """
    words = "the same outlying request shape each time"
    fatal = _fatal(look)
    if len(fatal) < 2:
        return Condition("same_shape", False, f"{words} ({len(fatal)} so far)")
    told = {shape: sum(seen_with(shape, c) for c in fatal) for crash in fatal for shape in crash.shapes}
    shape, count = max(told.items(), key=lambda pair: pair[1], default=("none seen", 0))
    row = Evidence("crashes_with_shape", float(count), "1", 2.0, n=len(fatal), source=shape)
    text = f"{words} ({shape}, {count} of {len(fatal)})"
    holds = True if count >= 2 else None if 2 * count >= len(fatal) else False
    return Condition("same_shape", holds, text, (row,), fatal[0].unix if holds else None)


def _errors(look: Look, condition: str, words: str, count: float | None, of: float | None) -> Condition:
    if count is None:
        return unknown(condition, words)
    total = max(count, of or 0.0)
    share = count / total if total else 0.0
    row = Evidence(condition, share, "ratio", ERROR_SHARE, None, ERROR_WINDOW_S, round(total))
    holds = count >= ERROR_MIN and share > ERROR_SHARE
    since = look.scene.unix - ERROR_WINDOW_S / 2 if holds else None
    return Condition(
        condition, holds, f"{words} ({count:.0f} of {total:.0f} in {ERROR_WINDOW_S:.0f} s)", (row,), since
    )


def aborted(look: Look) -> Condition:
    """Aborts the engine counted, or answered calls it never finished."""
    span, words = look.last(ERROR_WINDOW_S), "clients hang up"
    if span is None:
        return unknown("aborted", words)
    counted, hung = span.rise(Signal.FINISHED_ABORT), hung_up(span, look.engine)
    finished = span.rise(Signal.FINISHED) or 0.0
    known = [c for c in (counted, hung) if c is not None]
    found = _errors(look, "aborted", words, max(known, default=None), finished + (hung or 0.0))
    return _since_rule(look, found)


def failing(look: Look) -> Condition:
    """Requests that ended by an engine error or a 5xx, or that it refused."""
    span, words = look.last(ERROR_WINDOW_S), "requests fail"
    if span is None:
        return unknown("failing", words)
    rises = [span.rise(s) for s in (Signal.FINISHED_ERROR, Signal.HTTP_5XX, Signal.REJECTED)]
    known = [r for r in rises if r is not None]
    ended = [r for s in (Signal.FINISHED, Signal.HTTP_2XX) if (r := span.rise(s)) is not None]
    count = max(known, default=None)
    return _since_rule(look, _errors(look, "failing", words, count, max(ended, default=0.0) + (count or 0.0)))


def _since_rule(look: Look, found: Condition) -> Condition:
    """The rule on errors saw it begin earlier than the minute that is looked at."""
    anomaly = look.active.get("request_errors")
    if anomaly is None or not found.holds:
        return found
    return Condition(found.id, True, found.text, found.evidence, anomaly.onset_unix)


def hung_up_after_waiting(look: Look) -> Condition:
    """Waiting or latency rose before clients gave up: they gave up because of it."""
    words, aborts = "clients gave up after waiting", look.known["aborted"]
    rose = [o for i in SLOWNESS if (c := look.known[i]).holds and (o := c.onset_unix) is not None]
    if aborts.holds is None or (aborts.holds and aborts.onset_unix is None):
        return unknown("hung_up_after_waiting", words)
    if not aborts.holds or not rose:
        seen = [look.known[i].text for i in SLOWNESS if look.holds(i) is False]
        known = not aborts.holds or bool(seen)
        text = f"{words} (not so: {'; '.join(seen)})" if seen else words
        return Condition("hung_up_after_waiting", False if known else None, text)
    lead = (aborts.onset_unix or look.scene.unix) - min(rose)
    return Condition("hung_up_after_waiting", lead >= 0, f"{words} (it rose {lead:.0f} s before)")


def gave_up_first(look: Look) -> Condition:
    """Clients hung up before a queue formed: what waits in it is in part what they asked again."""
    words, aborts, queue = (
        "clients hung up before a queue formed",
        look.known["aborted"],
        look.known["queued"],
    )
    if aborts.holds is None or queue.holds is None:
        return unknown("gave_up_first", words)
    if not aborts.holds or not queue.holds:
        return Condition("gave_up_first", False, f"{words} (no)")
    if aborts.onset_unix is None or queue.onset_unix is None:
        return unknown("gave_up_first", words)
    lead = queue.onset_unix - aborts.onset_unix
    return Condition("gave_up_first", lead > 0, f"{words} ({lead:.0f} s)", aborts.evidence)


def client_deploy(look: Look) -> Condition:
    """Never in /metrics; kept so that a person is asked."""
    return unknown("client_deploy", f"a release of the clients of {look.scene.endpoint}")
