"""What the brain is told of an endpoint: `inferguard.brain.context/1`, a dict that goes to JSON as it is.

It holds measured numbers, what the rules concluded, and the tables that an answer is checked against; no secret, no
URL and, unless the setting says so, no host name: wherever the endpoint's own names stand in a text, they are
replaced. Nothing is asked of anybody here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from inferguard_core.brain_window import SOURCES, UNITS, brain_rows
from inferguard_core.diagnose import SIGNATURES
from inferguard_core.engines.version import parse_version
from inferguard_core.events import advisory_json, diagnosis_json, evidence_json, fix_json
from inferguard_core.memory.protocol import priors
from inferguard_core.printable import printable
from inferguard_core.profiles import Attention, profile
from inferguard_core.reading import Engine
from inferguard_core.remediation.tables import TABLES
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inferguard_core.followup import Similar
    from inferguard_core.frame import Incident
    from inferguard_core.watch import EndpointWatch

SCHEMA: Final = "inferguard.brain.context/1"
ALIAS: Final = "endpoint"
OTHER: Final = "other"
TIMELINE: Final = 40
LIMITS: Final = (
    "kv_alert_threshold",
    "kv_saturated_usage",
    "queue_min_waiting",
    "queue_of_running",
    "ttft_objective_s",
    "itl_objective_s",
    "prefix_drop",
    "thrash_hit_rate",
    "preemption_per_minute",
)
_ATTENTION = {Attention.HYBRID: "hybrid", Attention.SLIDING: "sliding", Attention.MLA: "latent"}


def brain_context(
    watch: EndpointWatch, unix: float, similar: Sequence[Similar] = (), *, host_names: bool = False
) -> dict[str, Any]:
    """The context of one endpoint as of its newest poll."""
    seen, book = watch.seen, watch.casebook
    engine = seen.reading.engine if seen is not None else Engine.UNKNOWN
    incident = watch.log.open
    known = profile(watch.models)
    context = {
        "schema": SCHEMA,
        "endpoint": watch.name,
        "engine": engine.value,
        "engine_version": watch.facts.version or "",
        "model": ", ".join(printable(m) for m in watch.models),
        "attention": None if known is None else _ATTENTION[known.cache.attention],
        "now_unix": round(unix, 3),
        "interval_s": watch.interval_s,
        "pool_tokens": None if seen is None else seen.window.latest(Signal.KV_CAPACITY_TOKENS),
        "window": [] if seen is None else brain_rows(seen.window),
        "units": dict(UNITS),
        "sources": _sources(watch),
        "anomalies": _anomalies(watch, unix),
        "incident": None if incident is None else _incident(incident),
        "diagnosis": None if incident is None or book.diagnosis is None else diagnosis_json(book.diagnosis),
        "actions": []
        if incident is None
        else [advisory_json(a) for a in book.advisories if not a.superseded_by],
        "fix": None if incident is None or book.fix is None else fix_json(book.fix),
        "baselines": _baselines(watch),
        "priors": priors(similar),
        "events": _events(incident, unix),
        "limits": {name: getattr(watch.limits, name) for name in LIMITS},
        "causes": [{"cause": s.cause, "advice": s.first_advice} for s in SIGNATURES.values()],
        "flags": _flags(engine, watch.facts.version),
    }
    return context if host_names else _anonymous(context, _names(watch, similar))


def _anomalies(watch: EndpointWatch, unix: float) -> list[dict[str, Any]]:
    return [
        {
            "kind": a.kind,
            "severity": a.severity.word,
            "state": a.state.value,
            "summary": a.summary,
            "onset_s": round(a.onset_unix - unix, 1),
            "evidence": [evidence_json(e) for e in a.evidence],
        }
        for a in watch.anomalies(unix)
    ]


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "state": incident.state.value,
        "severity": incident.severity.word,
        "onset_unix": round(incident.onset_unix, 3),
        "anomalies": list(incident.anomalies),
        "headline": incident.headline,
        "peaks": {str(k): v for k, v in incident.peaks.items()},
    }


def _events(incident: Incident | None, unix: float) -> list[dict[str, Any]]:
    if incident is None:
        return []
    return [{"t": round(e.unix - unix, 1), "text": e.text} for e in incident.timeline[-TIMELINE:]]


def _baselines(watch: EndpointWatch) -> dict[str, Any]:
    """Only trusted ones."""
    return {
        str(name): {"centre": known.centre, "spread": known.spread}
        for name, known in watch.learned.baselines.by_name.items()
        if known.trusted
    }


def _sources(watch: EndpointWatch) -> dict[str, str]:
    spellings: Mapping[str, str] = {} if watch.seen is None else watch.seen.reading.spellings
    named = {name: [spellings[s] for s in signals if s in spellings] for name, signals in SOURCES.items()}
    return {name: ", ".join(dict.fromkeys(found)) for name, found in named.items() if found}


def _flags(engine: Engine, version: str | None) -> dict[str, Any]:
    """The flags that this engine has, with what may be given to each."""
    table = TABLES.get(engine)
    at_hand = parse_version(version) if version else None
    if table is None:
        return {}
    return {
        name: {
            "default": flag.default,
            "helps": flag.helps,
            "low": flag.low,
            "high": flag.high,
            "whole": flag.whole,
            "choices": [choice.value for choice in flag.choices if flag.allows(choice.value, at_hand)],
            "switch": flag.switch,
            "json": flag.json,
        }
        for name, flag in table.flags.items()
        if flag.exists(at_hand)
    }


def _names(watch: EndpointWatch, similar: Sequence[Similar]) -> dict[str, str]:
    """What stands for each way in which a host may be named in a text: this endpoint's, and those of past incidents."""
    aliases = dict.fromkeys(_spellings(watch.endpoint, watch.name), ALIAS)
    for number, past in enumerate(similar, 1):
        for name in _spellings(past.endpoint, past.incident_id.rpartition("/")[0]):
            aliases.setdefault(name, f"{OTHER}-{number}")
    return aliases


def _spellings(endpoint: str, name: str) -> list[str]:
    split = urlsplit(endpoint)
    host = split.hostname or ""
    return [n for n in (endpoint, name, split.netloc, host, host.partition(".")[0]) if len(n) > 1]


def _anonymous(value: Any, aliases: Mapping[str, str]) -> Any:
    """`value` with every name replaced, the longest first."""
    names = sorted(aliases, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![\w.-]){re.escape(n)}(?![\w-])" for n in names), re.IGNORECASE)
    lowered = {name.lower(): alias for name, alias in aliases.items()}
    return _replaced(value, lambda text: pattern.sub(lambda m: lowered[m.group().lower()], text))


def _replaced(value: Any, spell: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return spell(value)
    if isinstance(value, dict):
        return {key: _replaced(one, spell) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, spell) for one in value]
    return value
