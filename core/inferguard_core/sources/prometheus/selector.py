"""The label matchers a person gives for a Prometheus server, taken apart and written anew.

Nothing of what was typed reaches a query except as a label name, an operator and a quoted value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MATCHER = re.compile(
    r"""\s*(?P<label>[a-zA-Z_]\w*)\s*(?P<operator>=~|!~|!=|=)\s*"""
    r"""("(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[^\s"',{}\\]+))\s*(,|$)""",
    re.ASCII,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """`label operator "value"`, the value unescaped."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quoted(self.value)}"


Selector = tuple[Matcher, ...]


def parse_selector(text: str) -> Selector | None:
    """`{job="vllm",pod=~"a|b"}`, with or without the braces and, where a value is plain, the quotes.

    None when it is not that. No matcher at all is a selector: every series.
    """
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    matchers: list[Matcher] = []
    at = 0
    while at < len(inner.rstrip()):
        found = _MATCHER.match(inner, at)
        if found is None or found["label"] == "__name__":
            return None
        given = found["double"] if found["double"] is not None else found["single"]
        value = found["bare"] if given is None else _ESCAPED.sub(_unescaped, given)
        matchers.append(Matcher(found["label"], found["operator"], value))
        at = found.end()
    return tuple(matchers)


def written(selector: Selector) -> str:
    """The selector with braces, as PromQL."""
    return "{" + ",".join(map(str, selector)) + "}"


def quoted(value: str) -> str:
    """A label value as PromQL and the text format both quote it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unescaped(found: re.Match[str]) -> str:
    return _PLAIN.get(found[1], found[1])
