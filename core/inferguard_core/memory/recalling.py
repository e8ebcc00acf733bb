"""Past incidents like a query: by words and by shape, fused by rank, each with what matched in numbers.

Cormack et al., SIGIR 2009, for the fusion: ranks of unlike scores add up where the scores themselves do not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from inferguard_core.followup import Similar
from inferguard_core.memory.shape import TRAITS, Feature
from inferguard_core.memory.track import done, judged
from inferguard_core.memory.wording import MEANT, expression, tokens, words_of
from inferguard_core.memory.writing import opened, scaled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from inferguard_core.memory.case import Case
    from inferguard_core.memory.protocol import Query
    from inferguard_core.memory.shape import Shape

RANK_DAMPING: Final = 60.0
CONSIDERED: Final = 50
"""Of each ranking."""
CAUSE_WEIGHT, KINDS_WEIGHT, ENGINE_WEIGHT, FAMILY_WEIGHT = 2.0, 6.0, 0.5, 0.5
UNKNOWN_APART: Final = 0.3
"""How far apart a known number and an unknown one count: about what two incidents drawn at random are."""
NOTABLE: Final = 0.05
"""A scaled number below this says that nothing happened there."""
SAID: Final = 3


def recall(
    connection: sqlite3.Connection, query: Query, found_by_words: Sequence[str] | None = None
) -> tuple[Similar, ...]:
    """The best `query.limit`. `found_by_words` are ids in the order of another index than this store's own."""
    by_shape = dict(_by_shape(connection, query.shape)) if query.shape is not None else {}
    by_words = (
        _numbers_of(connection, found_by_words)
        if found_by_words is not None
        else _by_words(connection, query.text)
    )
    rankings = [ranking for ranking in (by_words, list(by_shape)) if ranking]
    best = 1.0 / (RANK_DAMPING + 1.0)
    fused: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            fused[number] = fused.get(number, 0.0) + 1.0 / (RANK_DAMPING + rank) / best / len(rankings)
    ordered = sorted(fused, key=lambda number: -fused[number])
    only_shape = not by_words
    answers: list[Similar] = []
    for number in ordered:
        case = _case(connection, number)
        if case is not None and case.id != query.leave_out:
            score = by_shape[number] if only_shape else fused[number]
            answers.append(similar(case, query, score))
        if len(answers) >= query.limit:
            break
    return tuple(answers)


def similar(case: Case, query: Query, score: float) -> Similar:
    """One answer, with why."""
    return Similar(
        incident_id=case.id,
        endpoint=case.incident.endpoint,
        cause=case.cause,
        headline=case.incident.headline,
        opened_unix=case.incident.opened_unix,
        lasted_s=case.lasted_s,
        score=round(min(1.0, score), 4),
        why=tuple(_why(case, query)),
        done=done(case),
        grade=judged(case),
        recording=case.recording,
    )


def _by_words(connection: sqlite3.Connection, text: str) -> list[int]:
    wanted = expression(text)
    if not wanted:
        return []
    rows = connection.execute(
        "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", (wanted, CONSIDERED)
    )
    return [number for (number,) in rows]


def _by_shape(connection: sqlite3.Connection, shape: Shape) -> Iterator[tuple[int, float]]:
    """(number, likeness 0 to 1), best first: one less the weighted mean distance of what the asked shape knows."""
    terms: list[str] = []
    values: list[float | str] = []
    whole = 0.0

    def term(sql: str, weight: float, value: float | str) -> None:
        nonlocal whole
        terms.append(f"{weight} * ({sql})")
        values.append(value)
        whole += weight

    for feature, value in zip(Feature, scaled(shape), strict=True):
        if value is not None:
            term(f"coalesce(abs({feature.value} - ?), {UNKNOWN_APART})", TRAITS[feature].weight, value)
    if shape.kinds:
        connection.create_function("unlike", 2, _unlike, deterministic=True)
        term("unlike(kinds, ?)", KINDS_WEIGHT, " ".join(shape.kinds))
    if shape.cause not in ("", "unclear"):
        connection.create_function("other_cause", 2, _other_cause, deterministic=True)
        asked = " ".join((shape.cause, *shape.also))
        term("other_cause(cause || ' ' || also, ?)", CAUSE_WEIGHT, asked)
    for column, weight, name in (
        ("engine", ENGINE_WEIGHT, shape.engine),
        ("family", FAMILY_WEIGHT, shape.family),
    ):
        if name:
            term(f"{column} <> ?", weight, name)
    if not whole:
        return
    rows = connection.execute(
        f"SELECT number, {' + '.join(terms)} AS apart FROM shapes ORDER BY apart LIMIT ?",  # noqa: S608
        (*values, CONSIDERED),
    )
    for number, apart in rows:
        yield number, 1.0 - apart / whole


@lru_cache(maxsize=4096)
def _unlike(kinds: str, wanted: str) -> float:
    """1 less the share of kinds that both have."""
    one, other = set(kinds.split()), set(wanted.split())
    return 1.0 - len(one & other) / len(one | other) if one or other else 0.0


@lru_cache(maxsize=4096)
def _other_cause(weighed: str, asked: str) -> float:
    """0 for the same first cause, a half where one's first is among the other's, else 1."""
    one, other = weighed.split(), asked.split()
    if not one or not other:
        return 1.0
    if one[0] == other[0]:
        return 0.0
    return 0.5 if one[0] in other or other[0] in one else 1.0


def _numbers_of(connection: sqlite3.Connection, ids: Sequence[str]) -> list[int]:
    found = []
    for incident_id in ids:
        row = connection.execute("SELECT number FROM cases WHERE id = ?", (incident_id,)).fetchone()
        if row is not None:
            found.append(row[0])
    return found


def _case(connection: sqlite3.Connection, number: int) -> Case | None:
    row = connection.execute("SELECT whole FROM cases WHERE number = ?", (number,)).fetchone()
    return None if row is None else opened(row[0], light=True)


def _why(case: Case, query: Query) -> Iterator[str]:
    said = words_of(case).lower() if query.text else ""
    matched = [
        token
        for token in tokens(query.text)
        if _stem(token) in said or any(meant in said for meant in MEANT.get(token, ()))
    ]
    if matched:
        yield f"words: {', '.join(matched)}"
    if query.shape is None:
        return
    if case.cause == query.shape.cause and case.cause != "unclear":
        yield f"same cause {case.cause}"
    shared = sorted(set(case.shape.kinds) & set(query.shape.kinds))
    if shared:
        yield f"both had {', '.join(shared)}"
    yield from _numbers_alike(case.shape, query.shape)


def _stem(token: str) -> str:
    """About what the index's stemmer leaves of a word."""
    return token if len(token) <= 4 else token[: max(4, len(token) - 3)]


def _numbers_alike(past: Shape, now: Shape) -> Iterator[str]:
    """The weightiest numbers that are near one another and say that something happened."""
    near = []
    for feature, one, other in zip(Feature, scaled(past), scaled(now), strict=True):
        if one is None or other is None or max(one, other) < NOTABLE:
            continue
        trait = TRAITS[feature]
        near.append((trait.weight * (1.0 - abs(one - other)) * max(one, other), feature))
    for _, feature in sorted(near, reverse=True)[:SAID]:
        said = TRAITS[feature].said
        number = _plain(said[said.index("{") :], now.numbers[feature])
        yield f"{_plain(said, past.numbers[feature])} (here {number})"


def _plain(said: str, number: float) -> str:
    """The number in its sentence; two digits of a large or a tiny one would be written with an exponent."""
    digits = ":.0f" if abs(number) >= 99.5 else ":.2f" if abs(number) < 0.1 else ":.2g"
    return said.replace(":.2g", digits).format(number)
