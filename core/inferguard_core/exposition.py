"""Reads a /metrics page, poll after poll, at a cost that a fleet can pay.

Between two polls of one endpoint only the numbers change, so the text in front of a value is parsed once and
looked up from then on. Only text that the grammar has accepted enters the look-up; every other line takes the
full grammar again, so the fast way cannot read anything the slow way would read differently. The page is
read line by line: a bad line is counted, shown and skipped, and takes no other line with it.

Both the Prometheus text format and OpenMetrics are read; a page whose last line is `# EOF` is OpenMetrics.
Nothing here knows what a metric means; families, suffixes and units are left as the page writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from inferguard_core.exposition_line import family_type, head_of, name_and_labels, number, value_and_timestamp
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REMEMBERED_CHARS: Final = 8_000_000
"""A reader's memory of heads and comment lines, at most: 25,000 of them, 32 MB. A vLLM page takes 0.2 million."""
ENTRY_CHARS: Final = 200
"""What an entry costs beside its text: the objects around it, as characters."""
SHOWN_BAD_LINES: Final = 5


class Series:
    """One label set of one sample name. The reader that made it gives the same object for the same head."""

    __slots__ = ("__weakref__", "key", "labels", "name")

    name: str
    """As exposed, with its suffix: `vllm:time_to_first_token_seconds_bucket`."""
    labels: Mapping[str, str]
    """Unescaped, in page order."""
    key: str
    """The head as the page writes it: name and label block."""

    def __init__(self, name: str, labels: Mapping[str, str], key: str) -> None:
        self.name = name
        self.labels = labels
        self.key = key

    def __repr__(self) -> str:
        return f"Series({self.key!r})"


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    """Counted from 1."""
    text: str
    """Printable, cut."""


@dataclass(frozen=True, slots=True)
class Page:
    """The samples of one page."""

    samples: list[tuple[Series, float]]
    """The wanted ones, in page order."""
    types: dict[str, str]
    """Family, as its TYPE line writes it, to type; the last line wins."""
    timestamps: dict[int, float]
    """Index into `samples` to Unix seconds, where the page states them; engines do not."""
    bad_lines: int
    """Lines that are not exposition text, wanted or not."""
    first_bad: tuple[BadLine, ...]
    """At most `SHOWN_BAD_LINES`."""


class ExpositionReader:
    """Reads the pages of one endpoint, or of several that serve the same series.

    What it remembers is bounded by `REMEMBERED_CHARS`, whatever the pages hold. A page that would go over it
    is read without remembering more, and the next page starts afresh: series are then new objects, so who
    keys on them must let go of old ones (they can be referred to weakly).
    """

    def __init__(self, wanted: Callable[[str], bool] | None = None) -> None:
        """`wanted` is asked once per sample name while the name is remembered; None wants all."""
        self._wanted = wanted
        self._verdicts: dict[str, bool] = {}
        self._series: dict[str, Series | None] = {}
        """Head to its series, None where it is not wanted."""
        self._comments: dict[str, tuple[str, str] | None] = {}
        self._texts: dict[str, str] = {}
        """Names and label values, each kept once: they repeat across series."""
        self._numbers = _Numbers()
        self._free = REMEMBERED_CHARS
        self._full = False

    def read(self, text: str) -> Page:
        """Everything readable in `text`. Raises nothing, whatever the text."""
        page = self._new_page(text)
        add = page.samples.append
        known, numbers, comments = self._series, self._numbers, self._comments
        for at, line in enumerate(text.split("\n"), 1):
            if line < "$":  # "#" sorts just below: a comment, or a line that no known head starts
                if line in comments:
                    declared = comments[line]
                    if declared is not None:
                        page.types[declared[0]] = declared[1]
                    continue
            else:
                head, _, tail = line.rpartition(" ")
                try:
                    series = known[head]
                    value = numbers[tail]
                except (KeyError, ValueError):
                    pass
                else:
                    if series is not None:
                        add((series, value))
                    continue
            try:
                self._read_line(line, page)
            except (ValueError, OverflowError):
                page.skip(at, line)
        return page.finished()

    def _new_page(self, text: str) -> _Draft:
        if self._full:
            self._forget()
        return _Draft(openmetrics=text.rstrip().rpartition("\n")[2] == "# EOF")

    def _read_line(self, line: str, page: _Draft) -> None:
        """The full grammar, for a line that is not simply a known head, one space and a number."""
        text = line.strip()
        if text.startswith("#"):
            declared = family_type(text)
            if line not in self._comments and self._has_room(line):
                self._comments[line] = declared
            if declared is not None:
                page.types[declared[0]] = declared[1]
        elif text:
            head = head_of(text)
            value, timestamp = value_and_timestamp(text[len(head) :], openmetrics=page.openmetrics)
            series = self._series[head] if head in self._series else self._learn(head)
            if series is not None:
                if timestamp is not None:
                    page.timestamps[len(page.samples)] = timestamp
                page.samples.append((series, value))

    def _learn(self, head: str) -> Series | None:
        name, labels = name_and_labels(head)
        wanted = self._verdicts.get(name)
        if wanted is None:
            wanted = self._wanted is None or self._wanted(name)
        if not self._has_room(head):
            return Series(name, labels, head) if wanted else None
        share = self._texts.setdefault
        name = share(name, name)
        self._verdicts[name] = wanted
        labels = {share(label, label): share(value, value) for label, value in labels.items()}
        series = self._series[head] = Series(name, labels, head) if wanted else None
        return series

    def _has_room(self, text: str) -> bool:
        """Whether `text` may be remembered; takes the room it needs."""
        cost = len(text) + ENTRY_CHARS
        if cost > self._free:
            self._full = True
            return False
        self._free -= cost
        return True

    def _forget(self) -> None:
        self._verdicts.clear()
        self._series.clear()
        self._texts.clear()
        self._comments.clear()
        self._free = REMEMBERED_CHARS
        self._full = False


class _Numbers(dict[str, float]):
    """Number texts read before: most values of a page are as they were, and making a float is dear."""

    MOST: Final = 500
    LONGEST: Final = 32

    def __missing__(self, text: str) -> float:
        value = number(text)
        if len(self) >= self.MOST:
            self.clear()
        if len(text) <= self.LONGEST:
            self[text] = value
        return value


@dataclass(slots=True)
class _Draft:
    """A page being read."""

    openmetrics: bool
    samples: list[tuple[Series, float]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    timestamps: dict[int, float] = field(default_factory=dict)
    bad_lines: int = 0
    first_bad: list[BadLine] = field(default_factory=list)

    def skip(self, number: int, line: str) -> None:
        self.bad_lines += 1
        if self.bad_lines <= SHOWN_BAD_LINES:
            self.first_bad.append(BadLine(number, printable(line)))

    def finished(self) -> Page:
        return Page(self.samples, self.types, self.timestamps, self.bad_lines, tuple(self.first_bad))
