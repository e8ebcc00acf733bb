"""What is asked of the engine: arrivals, lengths, and how the batch and the queue stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.diagnose.conditions.pool import FULL, SLACK
from inferguard_core.diagnose.look import anomalous, times, unknown
from inferguard_core.diagnose.prelude import AROUND_S
from inferguard_core.diagnose.quantities import QUANTITIES, shown
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.verdict import Condition, Evidence

if TYPE_CHECKING:
    from inferguard_core.diagnose.look import Look

SURGE = 2.0
CHANCE_Z = 3.0
"""Arrivals come by chance: a surge must exceed what chance gives such counts once in a thousand."""
FLAT = 0.9
"""A batch at its cap is refilled at once: its tenth-lowest sample stays within this share of its highest."""
QUEUED_SHARE = 0.8
PEAK_SHARE = 0.75
"""The peak of a dozen quarter minutes lies about a quarter above their mean at a request a second."""
KEPT_UP = 0.9
SAME = (0.67, 1.5)
"""A load counts as the same while it is within a half more or a third less."""
HANDFUL = 8
MANY_HELD = 2.0
GREW = 1.3
FULL_S = 30.0
CAP_LABELS = ("max_num_seqs", "max_running_requests")


def arrivals_doubled(look: Look) -> Condition:
    """The busiest half minute around the onset against the normal, and beyond chance."""
    words, prelude = f"arrivals ≥ {SURGE:g}x before", look.prelude
    before = look.before("arrival_rate")
    if prelude is None or before is None or prelude.arrivals_peak is None:
        return unknown("arrivals_doubled", words)
    peak, unix = prelude.arrivals_peak
    window_s = QUANTITIES["arrival_rate"].window_s
    chance = (max(before, 1 / AROUND_S) * (1 / window_s + 1 / max(prelude.seconds, window_s))) ** 0.5
    holds = peak >= SURGE * before and peak - before >= CHANCE_Z * chance
    text = f"{words} ({shown(before, 'requests/s')} → {shown(peak, 'requests/s')})"
    row = look.evidence("arrival_rate", peak, SURGE * before, before)
    return Condition("arrivals_doubled", holds, text, (row,), unix if holds else None)


def completions_at_peak(look: Look) -> Condition:
    """As fast as ever and yet slower than requests came: an engine that keeps up is not overrun."""
    words, value = "completions at their highest and behind arrivals", look.now("finish_rate")
    peak = look.prelude.peaks.get("finish_rate") if look.prelude is not None else None
    came = look.prelude.arrivals_peak if look.prelude is not None else None
    if value is None or peak is None or came is None:
        return unknown("completions_at_peak", words)
    rates = [shown(rate, "requests/s") for rate in (value, peak, came[0])]
    text = f"{words} ({rates[0]}, peak {rates[1]}, arrivals {rates[2]})"
    holds = value >= PEAK_SHARE * peak and value < KEPT_UP * came[0]
    row = look.evidence("finish_rate", value, PEAK_SHARE * peak, peak)
    return Condition("completions_at_peak", holds, text, (row,))


def prompt_rate_at_peak(look: Look) -> Condition:
    words, value = "prompt tokens per second at their highest", look.now("prompt_rate")
    peak = look.prelude.peaks.get("prompt_rate") if look.prelude is not None else None
    if value is None or not peak:
        return unknown("prompt_rate_at_peak", words)
    text = f"{words} ({shown(value, 'tokens/s')}, peak {shown(peak, 'tokens/s')})"
    limit = PEAK_SHARE * peak
    row = look.evidence("prompt_rate", value, limit, peak)
    return Condition("prompt_rate_at_peak", value >= limit, text, (row,))


def queued(look: Look) -> Condition:
    """Requests wait, by the median: one in the queue for a step is how an engine works."""
    value, before = look.now("waiting"), look.before("waiting")
    if value is None:
        return unknown("queued", "requests wait")
    told = (
        f"{shown(before, 'requests')} → {shown(value, 'requests')}" if before is not None else f"{value:.0f}"
    )
    row = look.evidence("waiting", value, 1.0, before)
    since = look.since("queued", "waiting", 1.0) if value >= 1 else None
    return Condition("queued", value >= 1, f"requests wait ({told})", (row,), since)


def queue_grows(look: Look) -> Condition:
    return anomalous(look, "queue_grows", "queue_growth", "the queue grows or is long")


def _cap(look: Look) -> float | None:
    """The configured limit of the batch, where the engine shows it."""
    told = (look.told(label) for label in CAP_LABELS)
    return next((float(text) for text in told if text is not None and text.isdecimal()), None)


def at_cap(look: Look) -> Condition:
    """The batch stands at its limit while requests wait; where no limit is shown, at the most ever seen.

    A limit that nobody shows is one only where the batch hits it exactly, again and again; a handful of requests
    that an SGLang has reserved its pool for stand as still.
    """
    words, minute, cap = "running flat at its cap while requests wait", look.last(30.0), _cap(look)
    running = sorted(minute.values(Signal.RUNNING)) if minute is not None else []
    waiting = minute.values(Signal.WAITING) if minute is not None else []
    if len(running) < 3 or not waiting:
        return unknown("at_cap", words)
    most = running[-1]
    if cap is None and look.engine is Engine.SGLANG and most < HANDFUL:
        return unknown("at_cap", words)
    peak = look.prelude.peaks.get("running", 0.0) if look.prelude is not None else 0.0
    limit = _nearly(cap if cap is not None else max(peak, most))
    often = cap is not None or running[len(running) // 2] >= most - 1
    queued_share = sum(1 for w in waiting if w >= 1) / len(waiting)
    holds = most >= 1 and often and running[len(running) // 10] >= limit and queued_share >= QUEUED_SHARE
    shown_cap = f"cap {cap:.0f}" if cap is not None else f"most seen {max(peak, most):.0f}"
    text = f"{words} ({running[0]:.0f} to {most:.0f} running, {shown_cap})"
    return Condition("at_cap", holds, text, (look.evidence("running", most, limit),))


def _nearly(cap: float) -> float:
    """What a full batch may fall to between two admissions: a tenth of it, or two requests."""
    return max(0.75 * cap, min(FLAT * cap, cap - 2))


def below_cap(look: Look) -> Condition:
    """The batch has room. At the most ever seen, with no limit shown, it cannot be told from full."""
    words, value, cap = "running below its cap", look.now("running"), _cap(look)
    peak = look.prelude.peaks.get("running") if look.prelude is not None else None
    if value is None or (cap is None and peak is None):
        return unknown("below_cap", words)
    limit = cap if cap is not None else peak or 0.0
    if cap is None and value >= FLAT * limit:
        return unknown("below_cap", words)
    name = "cap" if cap is not None else "most seen"
    text = f"{words} ({value:.0f} running, {name} {limit:.0f})"
    return Condition(
        "below_cap", value < FLAT * limit, text, (look.evidence("running", value, FLAT * limit),)
    )


def few_running(look: Look) -> Condition:
    """The pool is not free for more with no more than ran before the onset, or than half of the cap."""
    words, value, cap = "few running", look.now("running"), _cap(look)
    peak = look.prelude.running_before if look.prelude is not None else None
    most, usage = cap if cap is not None else peak, look.now("kv_usage")
    if not value or not most or usage is None:
        return unknown("few_running", words)
    limit = f"{'cap' if cap is not None else 'most before'} {most:.0f}"
    bound = most / 2 if cap is not None else most
    text = f"{words} ({shown(value, 'requests')}, {limit}, KV {usage:.2f})"
    holds = value <= bound and usage >= SLACK
    return Condition("few_running", holds, text, (look.evidence("running", value, bound),))


def capped_before(look: Look) -> Condition:
    """The queue was there before the onset, at a batch no smaller than now: nothing new arrived."""
    words = "queue and full batch before the onset already"
    levels = look.prelude.before if look.prelude is not None else {}
    running, waiting, now = levels.get("running"), levels.get("waiting"), look.now("running")
    if running is None or waiting is None or now is None:
        return unknown("capped_before", words)
    text = f"{words} ({waiting.value:.0f} waiting, {running.value:.0f} running)"
    return Condition("capped_before", waiting.value >= 1 and running.value >= FLAT * now, text)


def tokens_held_up(look: Look) -> Condition:
    return times(look, "tokens_held_up", "tokens_per_running", MANY_HELD)


def requests_grew(look: Look) -> Condition:
    """Around the onset each request held more than those before: what came is of another kind, not only more."""
    words, before = f"each request holds ≥ {GREW:g}x what it did", look.before("tokens_per_running")
    around = look.prelude.around.get("tokens_per_running") if look.prelude is not None else None
    if around is None or not before:
        return unknown("requests_grew", words)
    text = f"{words} ({shown(before, 'tokens')} → {shown(around, 'tokens')})"
    row = look.evidence("tokens_per_running", around, GREW * before, before)
    return Condition("requests_grew", around >= GREW * before, text, (row,))


def takes_all(look: Look) -> Condition:
    """It holds no request back while it has room, so that what comes on top has to wait.

    vLLM never does; an SGLang may, for what requests could still grow to.
    """
    words = "no request is held back from room"
    if look.window is None or look.gauge(Signal.WAITING) is None:
        return unknown("takes_all", words)
    if look.engine is not Engine.SGLANG:
        return Condition("takes_all", True, words)
    usage = look.window.maximum(Signal.KV_USAGE, FULL_S)
    signs = [look.known[name] for name in ("at_cap", "prefill_flood") if look.holds(name)]
    if usage is not None and usage >= FULL:
        return Condition("takes_all", True, f"{words} (KV {usage:.2f})", (look.evidence("kv_usage", usage),))
    if signs:
        return Condition("takes_all", True, signs[0].text, signs[0].evidence)
    room = look.known["room_with_queue"]
    return Condition("takes_all", False if room.holds else None, room.text, room.evidence)


def held_back(look: Look) -> Condition:
    """Requests wait for a reservation, with room in the pool, in the batch and for more prefill.

    Whoever computes prompts again or needs more KV than there is waits for one of these.
    """
    found = look.known["takes_all"]
    holds = None if found.holds is None else not found.holds
    words = "requests are held back from room" if holds else found.text
    return Condition("held_back", holds, f"{words}: {found.text}" if holds else words, found.evidence)


def surged(look: Look) -> Condition:
    """More requests of the usual kind: a pool that fills by it is filled by their number."""
    doubled, grew = look.known["arrivals_doubled"], look.known["requests_grew"]
    both = None if doubled.holds is None or grew.holds is None else doubled.holds and not grew.holds
    return Condition("surged", both, f"{doubled.text}; {grew.text}", doubled.evidence, doubled.onset_unix)


def tokens_held_normal(look: Look) -> Condition:
    up = look.known["tokens_held_up"]
    text = up.text.replace(f"≥ {MANY_HELD:g}x", "near what they were")
    return Condition("tokens_held_normal", None if up.holds is None else not up.holds, text, up.evidence)


def low_load(look: Look) -> Condition:
    """Under two at a time, batching has no part in anything."""
    running, waiting = look.now("running"), look.now("waiting")
    if running is None or waiting is None:
        return unknown("low_load", "low load")
    text = f"low load ({shown(running, 'requests')} running, {waiting:.0f} waiting)"
    return Condition("low_load", running < 2 and waiting < 1, text, (look.evidence("running", running, 2.0),))


def _moved(look: Look, name: str) -> tuple[float, float] | None:
    """A quantity just before and after the hit rate fell, None where either is unknown."""
    fell = look.known.get("hit_rate_fell")
    began = fell.onset_unix if fell is not None and fell.holds else None
    at = look.t(began) if began is not None else None
    pair = look.beside(name, at) if at is not None else None
    return pair if pair is not None and pair[0] > 0 else None


def load_same(look: Look) -> Condition:
    """Arrivals, but for chance, and prompt lengths are what they were when the hit rate fell."""
    words = "arrivals and prompt lengths unchanged"
    arrivals, lengths = _moved(look, "arrival_rate"), _moved(look, "prompt_length")
    if arrivals is None or lengths is None:
        return unknown("load_same", words)
    low, high = SAME
    came_before, came_after = arrivals
    chance = CHANCE_Z * ((came_before + came_after) / QUANTITIES["arrival_rate"].window_s) ** 0.5
    as_many = low <= came_after / came_before <= high or abs(came_after - came_before) < chance
    holds = as_many and low <= lengths[1] / lengths[0] <= high
    rates, tokens = ([shown(v, u) for v in p] for p, u in ((arrivals, "requests/s"), (lengths, "tokens")))
    text = f"{words} ({rates[0]} → {rates[1]}, {tokens[0]} → {tokens[1]})"
    return Condition(
        "load_same", holds, text, (look.evidence("arrival_rate", arrivals[1], None, arrivals[0]),)
    )


def mix_changed(look: Look) -> Condition:
    """Prompts of another length than before: other work, with prefixes of its own."""
    pair = _moved(look, "prompt_length")
    if pair is None:
        return unknown("mix_changed", "prompts changed")
    before, after = pair
    low, high = SAME
    row = Evidence("prompt_length", after, "tokens", None, before)
    text = f"prompts changed ({shown(before, 'tokens')} → {shown(after, 'tokens')})"
    return Condition("mix_changed", not low <= after / before <= high, text, (row,))
