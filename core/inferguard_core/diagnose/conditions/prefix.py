"""The prefix cache: whether hits fell, how, and whether the pool forgot or the prompts changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.diagnose.conditions.pool import HALF
from inferguard_core.diagnose.look import threshold, times, unknown
from inferguard_core.diagnose.prelude import AROUND_S
from inferguard_core.diagnose.quantities import QUANTITIES, shown
from inferguard_core.signals import Signal
from inferguard_core.verdict import Condition, Evidence

if TYPE_CHECKING:
    from inferguard_core.diagnose.look import Look

FALL = 0.2
FALL_SHARE = 0.3
"""Absolute and relative fall that counts, as for the rule on it."""
MIN_TOKENS = 2000.0
REPEATED = 0.4
"""CONCUR asks for a cache that worked: a hit rate normally at or above this."""
CHURN_S = 60.0
"""People and tools answer within tens of seconds: a pool rewritten faster has forgotten them when they return."""
EVICTING_S = 10.0
"""Shorter than almost any pause between turns, so what was cached is evicted whoever returns."""
GONE = 0.2
"""CONCUR's threshold of reuse; a cache that other prompts merely dilute stays above it."""
COMPUTED_UP = 1.5
STEP_SHARE = 0.8
KEPT_SHARE = 0.75
"""A cache that forgets or is bypassed loses most of its hits; one that is only diluted loses few."""
COLD_S = 600.0
KINDS = ("prefix_hit_drop", "prefix_thrash")


def hit_rate_fell(look: Look) -> Condition:
    """Against the learnt normal or the level just before, whichever was better."""
    words, now, before = "prefix hit rate fell", look.now("prefix_hit_rate"), _reference(look)
    anomaly = next((look.active[k] for k in KINDS if k in look.active), None)
    if anomaly is not None:
        text = f"{words} ({anomaly.summary})" if anomaly.summary else words
        return Condition(
            "hit_rate_fell", True, text, anomaly.evidence, _fell_unix(look) or anomaly.onset_unix
        )
    span = look.last(QUANTITIES["prefix_hit_rate"].window_s)
    queries = span.rise(Signal.PREFIX_QUERIES) if span is not None else None
    if now is None or before is None or queries is None or queries < MIN_TOKENS:
        return unknown("hit_rate_fell", words)
    holds = before - now >= FALL and before - now >= FALL_SHARE * before
    row = look.evidence("prefix_hit_rate", now, before - FALL, before)
    onset = _fell_unix(look) if holds else None
    return Condition("hit_rate_fell", holds, f"{words} ({before:.2f} → {now:.2f})", (row,), onset)


def _reference(look: Look) -> float | None:
    levels = [look.before("prefix_hit_rate")]
    if look.prelude is not None:
        level = look.prelude.before.get("prefix_hit_rate")
        levels += [level.value if level is not None else None, look.prelude.late.get("prefix_hit_rate")]
    return max((v for v in levels if v is not None), default=None)


def _fell_unix(look: Look) -> float | None:
    """Since when it has lain below the middle between then and now."""
    now, before = look.now("prefix_hit_rate"), _reference(look)
    if now is None or before is None or before - now < FALL:
        return None
    return look.since("hit_rate_fell", "prefix_hit_rate", (now + before) / 2, above=False)


def hits_gone(look: Look) -> Condition:
    """Hardly any prompt token comes from the cache, and fewer do than before."""
    kept = look.known["hits_kept"]
    if kept.holds:
        return Condition("hits_gone", False, kept.text, kept.evidence)
    return threshold(look, "hits_gone", "prefix_hit_rate", GONE, above=False)


def recomputing(look: Look) -> Condition:
    """The cache was of use and is not any more: prompts are computed that were not before."""
    fell, gone = look.known["hit_rate_fell"], look.known["hits_gone"]
    both = None if fell.holds is None or gone.holds is None else fell.holds and gone.holds
    return Condition("recomputing", both, f"{fell.text}; {gone.text}", gone.evidence, fell.onset_unix)


def fell_at_once(look: Look) -> Condition:
    """Most of the fall happened within half a minute: prompts changed from one to the next."""
    words, fell = "it fell as a step", look.known["hit_rate_fell"]
    at = look.t(fell.onset_unix) if fell.holds and fell.onset_unix is not None else None
    pair = look.beside("prefix_hit_rate", at) if at is not None else None
    now, before = look.now("prefix_hit_rate"), _reference(look)
    if pair is None or now is None or before is None or before <= now:
        return unknown("fell_at_once", words)
    holds = pair[0] - pair[1] >= STEP_SHARE * (before - now)
    text = f"{words} ({pair[0]:.2f} → {pair[1]:.2f} within half a minute)"
    return Condition("fell_at_once", holds, text, (look.evidence("prefix_hit_rate", pair[1], None, pair[0]),))


def computed_up(look: Look) -> Condition:
    return times(look, "computed_up", "prompt_computed_rate", COMPUTED_UP)


def _churned(look: Look, condition: str, words: str, within_s: float) -> Condition:
    """The pool is rewritten within `within_s`, twice as fast as before; measured evictions where counted."""
    evicted, pool = look.now("evicted_rate"), look.gauge(Signal.KV_CAPACITY_TOKENS)
    turnover = look.now("turnover")
    if evicted is not None and pool:
        turnover = pool / evicted if evicted > 0 else float("inf")
        earlier = look.before("evicted_rate")
        before = pool / earlier if earlier else None
    else:
        before = look.before("turnover")
    if turnover is None:
        return unknown(condition, words)
    holds = turnover <= within_s and (before is None or turnover <= before / 2)
    told = "no eviction" if turnover == float("inf") else f"pool rewritten every {turnover:.1f} s"
    told += f", before every {before:.0f} s" if before is not None else ""
    value = None if turnover == float("inf") else turnover
    row = Evidence("turnover", value, "seconds", within_s, before, QUANTITIES["turnover"].window_s)
    return Condition(condition, holds, f"{words} ({told})", (row,))


def pool_churned(look: Look) -> Condition:
    return _churned(look, "pool_churned", "evictions or turnover up", CHURN_S)


def evicting(look: Look) -> Condition:
    return _churned(look, "evicting", "evicted before anyone can return", EVICTING_S)


def prompts_repeated(look: Look) -> Condition:
    """Sessions do come back: the cache was of use before."""
    before = _reference(look)
    if before is None:
        return unknown("prompts_repeated", "prompts used to repeat")
    text = f"prompts used to repeat (hit rate {before:.2f})"
    row = Evidence("prefix_hit_rate", before, "ratio", REPEATED)
    return Condition("prompts_repeated", before >= REPEATED, text, (row,))


def cache_off(look: Look) -> Condition:
    enabled, disabled = look.told("enable_prefix_caching"), look.told("disable_radix_cache")
    hits = look.gauge(Signal.PREFIX_HITS)
    if enabled in {"True", "False"} or disabled in {"True", "False"}:
        off = enabled == "False" or disabled == "True"
    elif hits:
        off = False
    else:
        return unknown("cache_off", "prefix cache off")
    return Condition("cache_off", off, f"prefix cache {'off' if off else 'on'}")


def cache_cold(look: Look) -> Condition:
    """Restarted within ten minutes and not warm since: a level of before the restart is no measure."""
    words, window, prelude = "restarted < 10 min ago", look.scene.window, look.prelude
    if window is None:
        return unknown("cache_cold", words)
    warm_since = prelude.start if prelude is not None and prelude.seconds else None
    restarts = window.history.restarts
    last = restarts[-1] if restarts else None
    if last is None and warm_since is None:
        started = window.latest(Signal.PROCESS_START)
        if started is None:
            return unknown("cache_cold", words)
        age = window.newest.unix - started
        return Condition("cache_cold", age < COLD_S, f"{words} ({age:.0f} s)")
    if last is None or (warm_since is not None and last <= warm_since):
        return Condition("cache_cold", False, f"{words} (no)")
    age = window.now - last
    return Condition("cache_cold", age < COLD_S, f"{words} ({age:.0f} s)", (), look.unix(last))


def fell_low(look: Look) -> Condition:
    """The pool had room when the hit rate fell: that prompts are computed again may fill it later."""
    fell, words = look.known["hit_rate_fell"], "KV usage < 0.50 when the hit rate fell"
    if not fell.holds:
        return Condition("fell_low", fell.holds, f"{words} (it did not)")
    at = look.t(fell.onset_unix) if fell.onset_unix is not None else None
    pair = look.beside("kv_usage", at) if at is not None else None
    if pair is None:
        low = look.known["kv_low"]
        return Condition("fell_low", low.holds, low.text, low.evidence)
    usage = max(pair)
    return Condition(
        "fell_low", usage < HALF, f"{words} ({usage:.2f})", (look.evidence("kv_usage", usage, HALF),)
    )


def hits_kept(look: Look) -> Condition:
    """As many tokens come from the cache as before: the share fell because other prompts came on top.

    So do they once the share is back, whatever few prompts come by then.
    """
    share, usual = look.now("prefix_hit_rate"), _reference(look)
    if share is not None and usual is not None and usual - share < FALL and look.holds("hit_rate_fell"):
        return Condition(
            "hits_kept", True, f"the hit rate is back near what it was ({usual:.2f}, {share:.2f})"
        )
    words, now = "as many tokens cached as before", look.now("prompt_cached_rate")
    before = look.prelude.late.get("prompt_cached_rate") if look.prelude is not None else None
    if now is None or not before:
        return unknown("hits_kept", words)
    text = f"{words} ({shown(before, 'tokens/s')} → {shown(now, 'tokens/s')})"
    row = look.evidence("prompt_cached_rate", now, KEPT_SHARE * before, before)
    return Condition("hits_kept", now >= KEPT_SHARE * before, text, (row,))


def diluted(look: Look) -> Condition:
    """While the hit rate fell, as many tokens still came from the cache: other prompts came on top of those it knew.

    That it gives fewer later, in a pool that these have filled, is a consequence; that it gives hardly any is not.
    """
    words, fell = "other prompts came on top when the hit rate fell", look.known["hit_rate_fell"]
    if not fell.holds:
        return Condition("diluted", fell.holds, words)
    at = look.t(fell.onset_unix) if fell.onset_unix is not None else None
    pair = look.beside("prompt_cached_rate", at) if at is not None else None
    if pair is None or pair[0] <= 0:
        return unknown("diluted", words)
    now = look.now("prompt_cached_rate")
    told = " → ".join(shown(v, "tokens/s") for v in (*pair, now) if v is not None)
    row = look.evidence("prompt_cached_rate", pair[1], KEPT_SHARE * pair[0], pair[0])
    holds = pair[1] >= KEPT_SHARE * pair[0] and (now is None or now >= GONE * pair[0])
    return Condition("diluted", holds, f"{words} (cached {told})", (row,))


def filled_first(look: Look) -> Condition:
    """The pool was full of live requests for a while before the cache gave nothing: it had no room for prefixes."""
    words, gone, full = (
        "the pool filled before the hits were gone",
        look.known["hits_gone"],
        look.known["pressed"],
    )
    if not gone.holds or not full.holds:
        known = gone.holds is not None and full.holds is not None
        return Condition("filled_first", False if known else None, words)
    if gone.onset_unix is None or full.onset_unix is None:
        return unknown("filled_first", words)
    lead = gone.onset_unix - full.onset_unix
    return Condition("filled_first", lead >= AROUND_S, f"{words} ({lead:.0f} s)", full.evidence)


def hits_fell_first(look: Look) -> Condition:
    """The hit rate fell before the pool filled: the recomputed prompts are what fills it."""
    fell = look.known["hit_rate_fell"]
    excused = next((c for n in ("diluted", "filled_first") if (c := look.known[n]).holds), None)
    if excused is not None:
        return Condition("hits_fell_first", False, excused.text, excused.evidence)
    onsets = [c.onset_unix for i in ("kv_full", "preempting") if (c := look.known[i]).holds]
    others = [o for o in onsets if o is not None]
    low = look.known["hits_gone"]
    if low.holds is False or fell.holds is False:
        denial = fell if fell.holds is False else low
        return Condition("hits_fell_first", False, denial.text, denial.evidence)
    if fell.onset_unix is None or not others:
        return unknown("hits_fell_first", "the hit rate fell first")
    lead = min(others) - fell.onset_unix
    return Condition(
        "hits_fell_first", lead > 0, f"the hit rate fell {lead:.0f} s before the pool filled", fell.evidence
    )
