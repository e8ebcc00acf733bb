"""From a context to a result: the rules first, then a language model that may only refine what they said.

Each step that answers is named, and each that fails leaves what came before, with its reason. What a model adds has
passed `verify`; the calculation's advisories stand in every result, whatever the model did.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.context import read
from inferguard_brain.counted import counted
from inferguard_brain.decompose import Bounds, decompose
from inferguard_brain.facts import facts
from inferguard_brain.investigate import by_rules, result
from inferguard_brain.llm import Form, LanguageModel
from inferguard_brain.prompt import messages, schema
from inferguard_brain.verify import rulebook, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inferguard_brain.context import Context
    from inferguard_brain.facts import Fact
    from inferguard_brain.llm import Model
    from inferguard_brain.rlm_remote import RemoteRlm
    from inferguard_brain.verify import Rulebook

CACHED_S: Final = 600.0
CACHED_FOR_A_PERSON_S: Final = 30.0
CACHED: Final = 64
SENT_CHARS: Final = 40_000


@dataclass(frozen=True, slots=True)
class Case:
    """A context with what may be said of it."""

    context: Context
    found: dict[str, Any]
    """The calculation's result."""
    facts: Mapping[str, Fact]
    rules: Rulebook

    @classmethod
    def of(cls, context: Context) -> Case:
        found = by_rules(context)
        known = facts(context, found["advisories"])
        return cls(context, found, known, rulebook(context, known))


class Reasoner:
    """A brain with a language model behind it; thinks about one context at a time."""

    def __init__(
        self,
        model: Model,
        clock: Callable[[], float] = time.monotonic,
        bounds: Bounds | None = None,
        rlm: RemoteRlm | None = None,
    ) -> None:
        """`bounds` are those of a decomposition, which `rlm` does instead where it is given."""
        self.llm = LanguageModel(model)
        self._bounds = bounds or Bounds()
        self._rlm = rlm
        self._clock = clock
        self._known: dict[tuple[object, ...], tuple[float, dict[str, Any]]] = {}

    @property
    def name(self) -> str:
        return self.llm.model.name

    @property
    def trouble(self) -> str:
        return f"{self.name}: {why}" if (why := self.llm.breaker.trouble) else ""

    async def prepare(self) -> None:
        """Load the client now: a second of CPU that would delay polls in the middle of an incident."""
        await self.llm.prepare()

    async def think(self, data: dict[str, Any]) -> dict[str, Any]:
        """`inferguard.brain.result/1` of a context. Never raises for what a model does."""
        context = read(data)
        if isinstance(context, str):
            return result(error=context)
        case = Case.of(context)
        by_parts = data.get("asked_by") == "person"
        key, now = (by_parts, *_question(context)), self._clock()
        known = self._known.get(key)
        fresh_s = CACHED_FOR_A_PERSON_S if by_parts else CACHED_S
        if known is not None and now - known[0] < fresh_s:
            return _again(known[1], case, now - known[0])
        answer = await self._answer(case, by_parts=by_parts)
        if answer["error"] is None and context.incident is not None:
            self._known[key] = (now, answer)
            while len(self._known) > CACHED:
                self._known.pop(next(iter(self._known)))
        return answer

    async def close(self) -> None:
        await self.llm.close()

    async def _answer(self, case: Case, *, by_parts: bool) -> dict[str, Any]:
        """By parts where a person asked and waits for it, in one question otherwise or when that fails."""
        if not by_parts or self.llm.breaker.rests_s:
            return await self._direct(case, [])
        if self._rlm is not None:
            went = await self._rlm.decompose(case)
        else:
            went = await decompose(self.llm, case, self._bounds, self._clock)
        if went.said is None:
            return await self._direct(case, [*went.trace, f"decomposed: {went.why}"])
        spent = self.llm.spent.words(self.llm.model.price)
        return refined(went.case, went.said, [*went.trace, f"so far {spent}"], "decomposed", went.sent)

    async def _direct(self, case: Case, steps: Sequence[str]) -> dict[str, Any]:
        """All facts in one question."""
        asked = messages(case.context, case.facts, case.rules)
        began = self._clock()
        said = await self.llm.ask(asked, Form(schema(case.rules), ("cause", "why")))
        step = f"direct: {self.name}, {self._clock() - began:.1f} s"
        sent = [f"{m['role']}: {m['content']}" for m in asked]
        if isinstance(said, str):
            return refined(
                case, None, [*steps, f"{step}: {said}"], "rules", sent, f"{self.name}: {said}; rules alone"
            )
        spent = self.llm.spent.words(self.llm.model.price)
        return refined(case, said, [*steps, f"{step}; so far {spent}"], "direct", sent)


def refined(
    case: Case,
    said: Mapping[str, Any] | None,
    steps: Sequence[str],
    source: str,
    sent: Sequence[str],
    error: str | None = None,
) -> dict[str, Any]:
    """The rules' result with what of `said` was verified."""
    answer = dict(case.found) | {
        "source": source,
        "trace": [*case.found["trace"], *steps],
        "sent": [text[:SENT_CHARS] for text in sent],
        "error": error,
    }
    if said is None:
        return answer
    checked = verify(said, case.rules)
    concluded = case.context.diagnosis
    if checked.cause is not None and concluded is not None:
        answer["diagnosis"] = {
            "incident_id": concluded.get("incident_id"),
            "cause": checked.cause,
            "source": "llm",
        }
    answer["narrative"] = list(checked.statements)
    answer["unverified"] = list(checked.struck)
    answer["trace"].append(
        f"verified: {counted(len(checked.statements), 'statement')} shown, {len(checked.struck)} struck out"
    )
    return answer


def _question(context: Context) -> tuple[object, ...]:
    """What makes a question another one: the incident, its anomalies and severities, and the rules' ranking."""
    concluded = context.diagnosis or {}
    ranked = tuple(str(s.get("cause")) for s in concluded.get("ranked") or () if isinstance(s, dict))
    kinds = tuple(sorted((str(a.get("kind")), str(a.get("severity"))) for a in context.entries("anomalies")))
    incident = context.incident or {}
    return (
        context.endpoint,
        context.model,
        str(incident.get("id")),
        str(incident.get("severity")),
        ranked,
        kinds,
    )


def _again(known: dict[str, Any], case: Case, age_s: float) -> dict[str, Any]:
    """An earlier answer to the same question, with the calculation of now."""
    step = f"answered {age_s:.0f} s ago, same incident and ranking: not asked again"
    return known | {"advisories": case.found["advisories"], "trace": [*known["trace"], step]}
