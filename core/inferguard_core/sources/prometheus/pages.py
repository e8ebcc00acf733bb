"""From a server's answer to pages: every scrape of every target, as the engine itself would have written it.

The answer is raw samples over the last while, each with the time of its scrape, so that samples of one scrape
are told from those of another and nothing is taken for new that is not. Labels that the server put on a target
are taken off again: pages of like engines are then alike, and are read by the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from inferguard_core.engines import labels as roles
from inferguard_core.sources.prometheus.names import UP
from inferguard_core.sources.prometheus.selector import Matcher, quoted, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Labels = dict[str, str]
Series = Mapping[str, Any]
"""One entry of a matrix: `metric` and `values`."""

IDENTITY: Final = ("cluster", "namespace", "job", "instance", "pod")
"""Labels of a target that tell it from every other one, as far as it has them."""
TWICE: Final = frozenset({"prometheus_replica", "replica", "__replica__", "__name__"})
"""Which of several servers scraped it, where a store keeps the samples of all."""
EXPORTED: Final = "exported_"
"""What the server puts before an engine's label that a target's label would hide."""
_ROLES: Final = frozenset({*roles.MODEL, *roles.RANK, *roles.TWIN, roles.PID, roles.PRIORITY, roles.BUCKET})

Key = tuple[str, ...]
"""Values of `IDENTITY`, empty where the target lacks the label."""


@dataclass(slots=True)
class Scrapes:
    """What an answer holds of one target."""

    labels: Labels
    """Those that it is told by."""
    lines: dict[float, list[str]] = field(default_factory=dict)
    """Unix time of a scrape to the engine's samples in it, later than what was known."""
    up: dict[float, bool] = field(default_factory=dict)
    """Time of a scrape to whether it succeeded; empty where the answer does not say."""
    newest: float = 0.0
    """Of the scrapes with a sample of the engine's."""
    stamps: set[float] = field(default_factory=set)
    """All scrape times in the answer, known ones too."""

    def page(self, at: float) -> str:
        """The text of one scrape; its order is the same in every answer."""
        return "\n".join(sorted(self.lines[at])) + "\n"

    @property
    def spacing(self) -> float | None:
        """The least time between two scrapes; None of fewer than two."""
        ordered = sorted(self.stamps)
        return min((b - a for a, b in pairwise(ordered)), default=None)


def scrapes(series: Sequence[Series], known: Mapping[Key, float]) -> dict[Key, Scrapes]:
    """Every target of an answer. `known` is the time up to which a target's samples were taken before."""
    groups: dict[Key, list[Series]] = {}
    for one in series:
        metric = one["metric"]
        if "__name__" in metric:
            groups.setdefault(key_of(metric), []).append(one)
    return {key: _target(group, known.get(key, 0.0)) for key, group in groups.items()}


def scrape_interval(answer: Mapping[Key, Scrapes]) -> float | None:
    """How often targets are scraped, the median over them; None where no target shows two scrapes."""
    spacings = sorted(s for found in answer.values() if (s := found.spacing) is not None)
    return spacings[len(spacings) // 2] if spacings else None


def key_of(labels: Mapping[str, str]) -> Key:
    return tuple([labels.get(label, "") for label in IDENTITY])


def address_of(labels: Mapping[str, str]) -> str:
    """The selector of one target, which is also how a person can ask for it alone."""
    return written(tuple(Matcher(k, "=", labels[k]) for k in IDENTITY if labels.get(k)))


def _target(group: Sequence[Series], known: float) -> Scrapes:
    found = Scrapes({k: v for k, v in group[0]["metric"].items() if k in IDENTITY})
    dropped = _target_labels([one["metric"] for one in group])
    for one in group:
        metric, values = one["metric"], one["values"]
        if metric["__name__"] == UP:
            found.up.update((at, text == "1") for at, text in values)
            continue
        found.stamps.update(at for at, _ in values)
        found.newest = max(found.newest, values[-1][0])
        fresh = [(at, text) for at, text in values if at > known]
        if fresh:
            head = _head(metric, dropped)
            for at, text in fresh:
                found.lines.setdefault(at, []).append(f"{head} {text}")
    found.stamps.update(found.up)
    return found


def _target_labels(metrics: Sequence[Labels]) -> frozenset[str]:
    """Labels that the server attached: those of `up`, else those without a role that every series shares."""
    up = next((metric for metric in metrics if metric["__name__"] == UP), None)
    if up is not None:
        return frozenset(up) | TWICE
    shared = set(metrics[0].items()).intersection(*(metric.items() for metric in metrics[1:]))
    return frozenset(name for name, _ in shared if name not in _ROLES) | TWICE


def _head(metric: Labels, dropped: Iterable[str]) -> str:
    """Name and labels of a sample on the engine's own page."""
    kept = [f"{_own(k)}={quoted(v)}" for k, v in metric.items() if k not in dropped]
    name = metric["__name__"]
    return f"{name}{{{','.join(kept)}}}" if kept else name


def _own(label: str) -> str:
    return label.removeprefix(EXPORTED) or label
