"""Numbers as people and models write them, found in a text and held against a fact, with tolerance by rounding only.

Whatever reads as a number counts: digits of any script, `3.1 M`, `97.9 %`, number words. A number that is nearly
right is wrong: the difference must be what rounding to the digits shown explains.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_brain.facts import Fact

_SMALL: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LARGE: Final = {
    **{
        w: 10.0 * n
        for n, w in enumerate(
            ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2
        )
    },
    **dict.fromkeys(("hundred", "hundreds"), 100.0),
    **dict.fromkeys(("thousand", "thousands"), 1e3),
    **dict.fromkeys(("million", "millions"), 1e6),
    **dict.fromkeys(("billion", "billions"), 1e9),
    **dict.fromkeys(("dozen", "dozens"), 12.0),
    **dict.fromkeys(("half", "halved"), 0.5),
    **dict.fromkeys(("double", "doubled", "doubles", "twice", "twofold"), 2.0),
    **dict.fromkeys(("triple", "tripled", "thrice", "threefold"), 3.0),
    **dict.fromkeys(("quadrupled", "fourfold"), 4.0),
    "third": 1 / 3,
    "quarter": 0.25,
    "tenfold": 10.0,
}
_WORDS: Final = {word: float(value) for value, word in enumerate(_SMALL) if word != "one"} | _LARGE
"""`one` is an article as often as a number."""
_NUMBER: Final = re.compile(
    r"(?P<number>[-+\u2212]?\d+(?:[,\u00a0\u202f ]\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+\u2212]?\.\d+)"
    r"(?P<gap>[ \u00a0\u202f]?)"
    r"(?P<unit>%|percent\b|ms\b|milliseconds?\b|s\b|sec\b|seconds?\b|min\b|minutes?\b|h\b|hours?\b|[kKMG]\b|million\b"
    r"|thousand\b)?(?P<per>(?:[ ]?[a-z]+){0,2}?[ ]?(?:/|per\b|a\b)[ ]?(?:min|minute)\b)?"
)
_IDENTIFIER: Final = re.compile(r"[^\W\d][\w.\-]*\d[\w.\-]*|\d+(?:\.\d+){2,}[\w.\-]*|\d+[^\W\d_]\w*-\w+")
_ROMAN: Final = re.compile(
    r"\b(?=[MDCLXVI]{2,}\b)M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})\b"
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_SCALE: Final = {"k": 1e3, "K": 1e3, "thousand": 1e3, "M": 1e6, "million": 1e6, "G": 1e9}
RELATIVE: Final = 0.1
"""Rounding that moves a number by more than this share hides too much."""


class Numeral(NamedTuple):
    text: str
    value: float
    step: float
    """Of the last digit shown."""
    unit: str
    per_minute: bool


def plain(text: str) -> str:
    """`text` with compatibility forms resolved: full-width and superscript digits, fractions, ligatures."""
    return unicodedata.normalize("NFKC", text)


def identifiers(text: str) -> list[str]:
    """Words that hold digits: `p95`, `fp8`, `gpt-oss-120b`, `0.32.0`; names rather than amounts."""
    return [found.rstrip(".-") for found in _IDENTIFIER.findall(text) if not _is_amount(found)]


def _is_amount(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None


def numerals(text: str) -> Iterator[Numeral]:
    """Every number in `text`, whose identifiers are skipped."""
    rest = _IDENTIFIER.sub(lambda m: m.group() if _is_amount(m.group()) else " ", text)
    for match in _NUMBER.finditer(rest):
        yield _numeral(match)
    for word in _WORD.findall(rest):
        value = _WORDS.get(word.lower())
        if value is not None:
            yield Numeral(word, value, 0.0, "", per_minute=False)
    for match in _ROMAN.finditer(rest):
        yield Numeral(match.group(), float("inf"), 0.0, "", per_minute=False)
    for char in rest:
        if not char.isdecimal() and unicodedata.numeric(char, None) is not None:
            yield Numeral(char, unicodedata.numeric(char), 0.0, "", per_minute=False)


def _numeral(match: re.Match[str]) -> Numeral:
    digits = re.sub(r"[,\u00a0\u202f ]", "", match["number"]).replace("\u2212", "-")
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in digits)
    mantissa = re.split("[eE]", digits, maxsplit=1)[0]
    exponent = float(digits.lower().partition("e")[2] or 0)
    decimals = len(mantissa.partition(".")[2])
    trailing = 0 if decimals else len(mantissa) - len(mantissa.rstrip("0"))
    unit = match["unit"] or ""
    scale = _SCALE.get(unit, 1.0) * 10.0 ** min(exponent, 300.0)
    step = 10.0 ** (trailing if trailing > 1 else -decimals) * scale
    return Numeral(match.group().strip(), float(mantissa) * scale, step, unit, per_minute=bool(match["per"]))


def supports(fact: Fact, said: Numeral) -> bool:
    """Whether `said` is the fact's number, its window or its count, rounded as it is written."""
    if fact.window_s is not None and _as_seconds(fact.window_s, said):
        return True
    if fact.n is not None and not said.unit and _close(float(fact.n), said):
        return True
    base = fact.unit.removesuffix("/s")
    value = fact.value * 60.0 if said.per_minute else fact.value
    if said.per_minute and not fact.unit.endswith("/s"):
        return False
    if said.unit in ("%", "percent"):
        return base == "ratio" and _close(value * 100.0, said)
    if said.unit in _TIMES:
        return base == "seconds" and _as_seconds(value, said)
    return _close(value, said)


_TIMES: Final = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 1 / 60),
    **dict.fromkeys(("h", "hour", "hours"), 1 / 3600),
}


def _as_seconds(value: float, said: Numeral) -> bool:
    factor = _TIMES.get(said.unit)
    return factor is not None and _close(value * factor, said)


def _close(value: float, said: Numeral) -> bool:
    """The sign may be in words (`fell by`); a zero is only a zero."""
    difference = abs(abs(value) - abs(said.value))
    if said.value == 0.0:
        return abs(value) < 1e-9
    if said.value < 0.0 < value:
        return False
    return difference <= min(0.5 * said.step, RELATIVE * abs(value)) + 1e-9 * abs(value)
