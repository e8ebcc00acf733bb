"""The grammar of one line of an exposition page: where the head ends, what its labels are, what the value is.

It accepts what the text parser of `prometheus_client` accepts and reads the same from it, laxities included,
so an engine that any Prometheus tool can read is read here with the same numbers. Two things it does not
follow: a line that holds nothing but a number word such as `nan` is not a sample of a metric called `na`,
and a label name may start with two underscores. It knows nothing of pages, engines or families.

Every scan goes forward once and never backtracks: a hostile line costs time in proportion to its length.
"""

from __future__ import annotations

import re

_LEGACY_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*$")
_BARE_HEAD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?=\s*?[ \t])")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r'\\([\\n"])')
_PLAIN_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"')
_PLAIN_BLOCK = re.compile(rf"(?:{_PLAIN_LABEL.pattern}(?:,|\Z))*+")
_BLANKS = re.compile(r"\s*")
_WORD_SPACE = " \t\r\x0b\x0c"
_WORD_SPACES = re.compile(f"[{_WORD_SPACE}]*")


def _up_to(stops: str) -> str:
    """Pattern of the longest run without an unquoted character of `stops`; an unclosed quote ends it too.

    Backslashes escape a quote, in and out of quotes, and nothing else.
    """
    return rf'(?:[^"\\{re.escape(stops)}]+|\\["\\]?|"(?:[^"\\]+|\\.)*+")*+'


_TO_BRACE = re.compile(_up_to("{"), re.DOTALL)
_TO_CLOSE = re.compile(_up_to("}"), re.DOTALL)
_TO_SPACE = re.compile(_up_to(_WORD_SPACE), re.DOTALL)
_TERM = re.compile(rf"({_up_to('=,')})(?:=({_up_to(',')}))?", re.DOTALL)


def head_of(line: str) -> str:
    """Name and label block of a stripped sample line, as written; the value starts right behind it.

    Raises:
        ValueError: The line has no head.
    """
    brace = _end(_TO_BRACE, line, 0)
    if brace < 0 or " # " in line[:brace]:
        bare = _BARE_HEAD.match(line)
        if bare is None:
            raise ValueError("no metric name")
        return bare[0]
    close = _end(_TO_CLOSE, line, brace)
    if close < 0:
        raise ValueError("label block is not closed")
    return line[: close + 1]


def name_and_labels(head: str) -> tuple[str, dict[str, str]]:
    """Metric name and unescaped labels, in page order, of a text that `head_of` gave.

    Raises:
        ValueError: The label block is malformed, names a label twice, or the name is missing or given twice.
    """
    if not head.endswith("}"):
        return head, {}
    brace = _end(_TO_BRACE, head, 0)
    labels = _labels(head[brace + 1 : -1])
    name = head[:brace].strip()
    if not name:
        if "__name__" not in labels:
            raise ValueError("no metric name")
        return labels.pop("__name__"), labels
    if "__name__" in labels:
        raise ValueError("metric named twice")
    return name, labels


def value_and_timestamp(tail: str, *, openmetrics: bool) -> tuple[float, float | None]:
    """Value and timestamp, in seconds, of the text behind a head.

    The Prometheus format writes timestamps in milliseconds and has no exemplars. OpenMetrics writes seconds,
    and what follows ` # ` is an exemplar, whose own value and time are not the sample's.

    Raises:
        ValueError: A number is missing or malformed.
    """
    if openmetrics:
        tail = tail.partition(" # ")[0]
    tail = tail.lstrip()
    parts = [part for part in map(str.strip, tail.split(" " if " " in tail else "\t")) if part]
    if not parts:
        raise ValueError("no value")
    value = number(parts[0])
    if len(parts) == 1:
        return value, None
    return value, _timestamp(parts[-1], 1 if openmetrics else 1000)


def number(text: str) -> float:
    """Value of a number text, which may have white space around it.

    Raises:
        ValueError: Not a number, or digits grouped as Python groups them, `1_000`.
    """
    if "_" in text:
        raise ValueError("underscore in a number")
    return float(text)


def family_type(line: str) -> tuple[str, str] | None:
    """Family and type that a comment line declares; None where it declares no type.

    Raises:
        ValueError: A HELP or TYPE line whose name is malformed, or a TYPE line without a type.
    """
    words = _words(line)
    if len(words) < 2 or words[1] not in {"HELP", "TYPE"}:
        return None
    family = _name(words[2]) if len(words) > 2 else ""
    if words[1] == "HELP":
        return None
    if len(words) < 4:
        raise ValueError("TYPE without a type")
    return (family, words[3]) if family else None


def _end(run: re.Pattern[str], text: str, start: int) -> int:
    """Where the stop character of `run` stands, -1 where there is none outside quotes."""
    found = run.match(text, start)
    end = found.end() if found else start
    return -1 if end == len(text) or text[end] == '"' else end


def _labels(block: str) -> dict[str, str]:
    """Labels of the text between the braces."""
    if _PLAIN_BLOCK.fullmatch(block):
        pairs = _PLAIN_LABEL.findall(block)
        labels = dict(pairs)
        if len(labels) == len(pairs):
            return labels
    return _labels_of_any_block(block)


def _labels_of_any_block(block: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    at = 0
    while True:
        at = _skip(_BLANKS, block, at)
        if block.startswith(",", at):
            at += 1
            if block.startswith(",", at):
                raise ValueError("two commas")
        if at == len(block):
            return labels
        term = _TERM.match(block, at)
        if term is None or not (term.end() == len(block) or block[term.end()] == ","):
            raise ValueError("quote is not closed")
        at = term.end()
        name, value = ("__name__", term[1]) if term[2] is None else (term[1], term[2])
        value = value.strip()
        if not value:
            continue
        quoted = _QUOTED.fullmatch(value)
        if quoted is None:
            raise ValueError("label value is not quoted")
        name = _name(name)
        if name in labels:
            raise ValueError("label named twice")
        labels[name] = _unescape(quoted[1])


def _name(text: str) -> str:
    """A metric, family or label name: any text in quotes, the legacy alphabet without them."""
    text = text.strip()
    if text.startswith('"'):
        if len(text) == 1 or not text.endswith('"'):
            raise ValueError("quote is not closed")
        return _unescape(text[1:-1])
    name = _unescape(text)
    if not _LEGACY_NAME.match(name):
        raise ValueError("name needs quotes")
    return name


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _words(line: str) -> list[str]:
    """First three words of a comment, quotes kept together, and the rest of it as the fourth."""
    words: list[str] = []
    at = 0
    while at < len(line) and len(words) < 3:
        at = _skip(_WORD_SPACES, line, at)
        end = _end(_TO_SPACE, line, at)
        end = len(line) if end < 0 else end
        words.append(line[at:end])
        at = end
    rest = line[at:].lstrip(_WORD_SPACE)
    return [*words, rest] if rest else words


def _skip(blanks: re.Pattern[str], text: str, start: int) -> int:
    found = blanks.match(text, start)
    return found.end() if found else start


def _timestamp(text: str, per_second: int) -> float:
    """Whole numbers stay exact up to the division: a float first would round twice."""
    number(text)
    try:
        return int(text) / per_second
    except ValueError:
        return float(text) / per_second
