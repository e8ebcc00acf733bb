"""The gate between what a model says and what is shown: every number, flag, cause and action is checked.

A statement must cite facts, and each of its numbers must be one of theirs, rounded. Causes are those that the rules
ranked, actions those that the rules advise, flags those that this engine has. What fails is struck out whole and
listed with the reason; nothing is repaired. A statement that passes carries its facts behind it, so that words that
twist a true number can be seen to.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.numerals import identifiers, numerals, plain, supports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_brain.context import Context
    from inferguard_brain.facts import Fact

UNCLEAR: Final = "unclear"
MAX_CLAIMS: Final = 8
MAX_TEXT: Final = 300
MAX_CITED: Final = 4
KNOWN_NAMES: Final = frozenset({"p50", "p95", "p99", "fp8", "bf16", "fp16", "v0", "v1"})
_SPEAKS_OF: Final = {
    "drain_and_recycle": (
        r"restart|reboot|recycl|drain|kill|terminat|shut\w*.?down|stop(s|ped)? the (engine|server|process)"
        r"|redeploy|delet|reload|power|bounc|roll\w* (the )?(pod|replica)|scal\w* (down|to zero)|remov\w* the"
    ),
    "flush_session_radix": r"flush|(clear|reset|purg|drop|empt|wip|invalidat)\w* (\w+ ){0,3}(cache|radix|prefix|kv)",
    "throttle_concurrency": r"throttl|(reduc|lower|limit|cap|halv|cut|shed)\w* (\w+ ){0,3}(concur|reques|agent|load)",
    "quarantine_shape": r"quarantin|(block|ban|reject|refus)\w* (\w+ ){0,3}(shape|request|client|tenant|user)",
    "recommend_compaction": r"compact",
    "shrink_speculation_window": r"(shrink|shorten|disabl|reduc|lower)\w* (\w+ ){0,3}(specul|draft)",
}
_ACTIONS: Final = {name: re.compile(rf"\b(?:{words})", re.IGNORECASE) for name, words in _SPEAKS_OF.items()}
_COMMAND: Final = re.compile(
    r"://|\bwww\.|[`$|<>{}\\]|&&|;|\b(?:sudo|curl|wget|ssh|kubectl|docker|systemctl|pkill|rm|chmod|bash|exec|eval|pip)\b",
    re.IGNORECASE,
)
_FLAG: Final = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Verified:
    cause: str | None
    """One that the rules ranked; None: the model named none of them."""
    statements: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    """What was left out, each with the reason."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What an answer may speak of."""

    facts: Mapping[str, Fact]
    causes: frozenset[str]
    """Those that the rules ranked."""
    catalogue: frozenset[str]
    actions: frozenset[str]
    flags: Mapping[str, Any]
    proposed: Mapping[str, str] = field(default_factory=dict)
    """Flag to the value that the rules propose."""
    names: frozenset[str] = KNOWN_NAMES
    """Words with digits in them that are names."""


def rulebook(context: Context, facts: Mapping[str, Fact]) -> Rulebook:
    """What the rules of this context allow."""
    concluded = context.diagnosis or {}
    ranked = [s for s in concluded.get("ranked") or () if isinstance(s, dict)]
    fix = context.raw.get("fix")
    changes = fix.get("changes") or () if isinstance(fix, dict) else ()
    named = {w for f in facts.values() for w in identifiers(f.name)}
    return Rulebook(
        facts=facts,
        causes=frozenset(str(s.get("cause")) for s in ranked),
        catalogue=frozenset(str(c.get("cause")) for c in context.entries("causes")),
        actions=frozenset(str(a.get("action_type")) for a in context.entries("actions")),
        flags=context.table("flags"),
        proposed={str(c.get("flag")): str(c.get("proposed")) for c in changes if isinstance(c, dict)},
        names=KNOWN_NAMES | {name.lower() for name in (*named, str(context.raw.get("engine_version") or ""))},
    )


def verify(answer: Mapping[str, Any], rules: Rulebook) -> Verified:
    """What of an answer may be shown."""
    kept: list[str] = []
    struck: list[str] = []
    cause = answer.get("cause")
    if not isinstance(cause, str) or cause not in rules.causes:
        if cause != UNCLEAR:
            struck.append(f"cause {_short(cause)}: the rules did not rank it")
        cause = None
    for said in _list(answer.get("why")):
        _weigh("", said, rules, kept, struck)
    for said in _list(answer.get("actions")):
        name = said.get("action_type") if isinstance(said, dict) else None
        if not isinstance(name, str) or name not in rules.actions:
            struck.append(f"action {_short(name)}: the rules do not advise it here")
        else:
            _weigh(f"{name}: ", said, rules, kept, struck)
    for said in _list(answer.get("flags")):
        _weigh_flag(said, rules, kept, struck)
    return Verified(cause, tuple(kept), tuple(struck))


def _weigh(lead: str, said: object, rules: Rulebook, kept: list[str], struck: list[str]) -> None:
    text = said.get("text") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(text, str) or not text.strip():
        struck.append(f"{lead}{_short(said)}: not a statement")
        return
    clean = _printable(plain(text))
    cited = [rules.facts[f] for f in _list(said.get("facts")) if isinstance(f, str) and f in rules.facts]
    wrong = objection(clean, cited[:MAX_CITED], rules)
    if wrong:
        struck.append(f"{lead}{_short(clean)}: {wrong}")
    else:
        kept.append(f"{lead}{clean} [{'; '.join(f.shown for f in cited[:MAX_CITED])}]")


def _weigh_flag(said: object, rules: Rulebook, kept: list[str], struck: list[str]) -> None:
    flag = said.get("flag") if isinstance(said, dict) else None
    value = str(said.get("value") or "") if isinstance(said, dict) else ""
    if not isinstance(said, dict) or not isinstance(flag, str) or flag not in rules.flags:
        struck.append(f"flag {_short(flag)}: this engine and version has no such flag")
        return
    known = rules.flags[flag]
    choices = known.get("choices") or () if isinstance(known, dict) else ()
    if value != rules.proposed.get(flag) and value not in choices:
        struck.append(f"flag {flag} {_short(value)}: a value that the rules did not compute")
        return
    _weigh(f"{flag} {value}: ", said, rules, kept, struck)


def objection(text: str, cited: Sequence[Fact], rules: Rulebook) -> str:
    """Why a statement may not be shown; empty when it may."""
    if len(text) > MAX_TEXT:
        return f"longer than {MAX_TEXT} characters"
    if not cited:
        return "cites no fact"
    if any(c.isalpha() and not c.isascii() for c in text):
        return "holds letters that these checks cannot read"
    if _COMMAND.search(text):
        return "holds a command or an address"
    return _forbidden(text, rules) or _unsupported(text, cited, rules)


def _forbidden(text: str, rules: Rulebook) -> str:
    for flag in _FLAG.findall(text):
        if flag not in rules.flags:
            return f"{flag} is no flag of this engine"
    for action, pattern in _ACTIONS.items():
        found = pattern.search(text)
        if (found or action in text) and action not in rules.actions:
            return f"speaks of {found.group() if found else action}, which the rules do not advise here"
    for cause in sorted(rules.catalogue - rules.causes):
        if cause in text:
            return f"{cause} is a cause that the rules did not rank"
    return ""


def _unsupported(text: str, cited: Sequence[Fact], rules: Rulebook) -> str:
    without_ids = re.sub(r"\bF\d+\b", " ", text)
    for fact in cited:
        without_ids = without_ids.replace(fact.name, " ")
    for name in identifiers(without_ids):
        if name.lower() not in rules.names:
            return f"{name} is nothing that was measured here"
    for said in numerals(without_ids):
        if not any(supports(fact, said) for fact in cited):
            return f"{said.text} is not in what it cites"
    return ""


def _list(value: object) -> list[Any]:
    return value[:MAX_CLAIMS] if isinstance(value, list) else []


def _printable(text: str) -> str:
    spaced = " ".join(text.split())
    return "".join(c for c in spaced if unicodedata.category(c) not in _HIDDEN)


def _short(value: object) -> str:
    text = _printable(plain(str(value)))
    return repr(text if len(text) <= 80 else text[:79] + "…")
