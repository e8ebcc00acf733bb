"""Prints outcomes for a reader who knows neither scenarios nor code: words first, then tables, in 100 columns."""

from __future__ import annotations

from collections import defaultdict
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from evaluate.cases import HELD_OUT, TUNING
from evaluate.tally import Tally, ratio, tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evaluate.run import Outcome

WIDTH = 100
MOST_FAILURES = 60
HEAD = (
    "found    episodes with an alarm of a kind that the label demands or allows, of all",
    "kinds    groups of demanded anomaly kinds that were raised; false: alarms outside any episode",
    "delay    seconds from onset to the first such alarm, median and 90th percentile",
    "cause@1  the last diagnosis names an accepted cause; @3: one of its first three does",
    "action   the first advised action is an accepted one; again: incidents beyond one an episode",
)
ROW = "{:<24} {:>5} {:>8} {:>8} {:>5} {:>12} {:>8} {:>8} {:>8} {:>5}"


def lines(outcomes: Sequence[Outcome], elapsed_s: float) -> Iterator[str]:
    """The whole report."""
    yield from HEAD
    for split in (TUNING, HELD_OUT, "recorded"):
        part = [outcome for outcome in outcomes if outcome.split == split]
        if part:
            yield ""
            yield from _split(split, part)
    yield ""
    yield from _confusion(tally(outcome.score for outcome in outcomes))
    yield ""
    yield from _failures(outcomes)
    yield f"{len(outcomes)} runs in {elapsed_s:.0f} s"


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Totals by split, rows by split and scenario, every failure in words."""
    splits: dict[str, Any] = {}
    for split, part in _by(outcomes, "split").items():
        rows = {
            group: tally(o.score for o in some).to_json()
            for group, some in sorted(_by(part, "group").items())
        }
        splits[split] = {"total": tally(o.score for o in part).to_json(), "rows": rows}
    confusion = tally(o.score for o in outcomes).confusion
    return {
        "splits": splits,
        "confusion": [{"cause": c, "said": s, "episodes": n} for (c, s), n in sorted(confusion.items())],
        "failures": [failure for outcome in outcomes for failure in failures(outcome)],
    }


def failures(outcome: Outcome) -> list[str]:
    """What went wrong in one run, a line each."""
    where = f"{outcome.name} at {outcome.interval_s:g} s"
    score = outcome.score
    said = [f"{where}: false {a.kind} at {a.start:.0f}-{a.end:.0f}" for a in score.false_alarms]
    for episode in score.episodes:
        if not episode.found:
            said.append(f"{where}: nothing found")
        if episode.missed:
            said.append(f"{where}: not raised: {', '.join(episode.missed)}")
        if episode.cause and not episode.right_at_1:
            said.append(f"{where}: said {episode.said or 'nothing'}, not {' or '.join(episode.cause)}")
        if episode.judges_action and not episode.action_right:
            said.append(f"{where}: first action {episode.first_action or 'none'}")
        if episode.beside:
            said.append(f"{where}: also raised {', '.join(episode.beside)}")
        if episode.duplicates:
            said.append(f"{where}: {episode.duplicates + 1} incidents for one episode")
    return said


def _split(split: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    total = tally(outcome.score for outcome in outcomes)
    yield f"== {split}: {_headline(total)}"
    yield _false_alarm_line(outcomes)
    yield ROW.format(
        "", "runs", "found", "kinds", "false", "delay s", "cause@1", "cause@3", "action", "again"
    )
    for group, some in _by(outcomes, "group").items():
        name = group if len(group) <= 24 else f"{group[:23]}…"
        yield _row(name, tally(outcome.score for outcome in some))
    yield _row("all", total)
    by_interval = _by(outcomes, "interval_s")
    for interval, some in sorted(by_interval.items()) if len(by_interval) > 1 else ():
        yield _row(f"  polled every {float(interval):g} s", tally(outcome.score for outcome in some))
    spared = sum(outcome.harmless for outcome in outcomes)
    if spared:
        yield f"{spared} declared episodes did too little harm to demand an alarm; they are not judged"


def _headline(total: Tally) -> str:
    parts = (
        ("recall", total.recall),
        ("precision", total.precision),
        ("cause@1", ratio(total.right_at_1, total.causes)),
        ("cause@3", ratio(total.right_at_3, total.causes)),
        ("action", ratio(total.actions_right, total.actions)),
    )
    said = ", ".join(f"{name} {'—' if value is None else f'{value:.3f}'}" for name, value in parts)
    return f"{said}, delay {_seconds(total.delay(0.5))}"


def _false_alarm_line(outcomes: Sequence[Outcome]) -> str:
    """Alarms per interval over the same hours: hours watched twice prove no more than once."""
    worst = max(
        (tally(o.score for o in some) for some in _by(outcomes, "interval_s").values()),
        key=lambda one: one.false_per_hour or 0.0,
    )
    bound = worst.false_per_hour_bound
    return (
        f"   {worst.false_alarms} false alarms in {worst.healthy_s / 3600:.1f} healthy hours at the worst interval"
        + ("" if bound is None else f": below {bound:.2f} an hour (95 %)")
    )


def _row(name: str, one: Tally) -> str:
    return ROW.format(
        name,
        one.runs,
        _of(one.found, one.episodes),
        _of(one.groups_found, one.groups),
        one.false_alarms,
        f"{_seconds(one.delay(0.5))} / {_seconds(one.delay(0.9))}",
        _of(one.right_at_1, one.causes),
        _of(one.right_at_3, one.causes),
        _of(one.actions_right, one.actions),
        one.duplicates,
    )


def _confusion(total: Tally) -> Iterator[str]:
    """One line per cause: how often what was said, most frequent first."""
    if not total.confusion:
        return
    yield "== causes: what the label names, and how often what was said (an accepted answer is the label's)"
    said: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for (cause, answer), count in total.confusion.items():
        said[cause].append((count, answer))
    for cause, answers in sorted(said.items()):
        listed = ", ".join(f"{answer} {count}" for count, answer in sorted(answers, reverse=True))
        yield from wrap(f"{cause:<24} {listed}", WIDTH, subsequent_indent=" " * 25)


def _failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    found = [failure for outcome in outcomes for failure in failures(outcome)]
    if not found:
        yield "== no failures"
        return
    yield f"== failures ({len(found)}{f', the first {MOST_FAILURES}' if len(found) > MOST_FAILURES else ''})"
    for failure in found[:MOST_FAILURES]:
        yield from wrap(failure, WIDTH, subsequent_indent="    ")


def _by(outcomes: Sequence[Outcome], what: str) -> dict[Any, list[Outcome]]:
    parts: dict[Any, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        parts[getattr(outcome, what)].append(outcome)
    return parts


def _of(part: int, whole: int) -> str:
    return f"{part}/{whole}" if whole else "—"


def _seconds(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f}"
