"""A diagnosis by parts: a root model sees a description of the data, asks tools, and may hand a part to a sub-question.

After Recursive Language Models (Zhang et al., arXiv:2512.24601), with one difference on purpose: there the model
writes code that is run, here it picks from a list of questions. Depth, calls, tokens and seconds are bounded, every
step is in the trace, and the answer passes the same gate as any other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.counted import counted
from inferguard_brain.facts import facts
from inferguard_brain.llm import Form
from inferguard_brain.prompt import FORM, SYSTEM, quoted, schema
from inferguard_brain.tools import TOOLS, Asked, FactBook, answer, described
from inferguard_brain.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_brain.llm import LanguageModel
    from inferguard_brain.reason import Case
    from inferguard_brain.verify import Rulebook

RESULT_CHARS: Final = 4000
LAST: Final = "No more questions are left. Answer now."
TASK: Final = f"""\
You see no data, only what there is. Each turn is one JSON object, either a question or the answer.
A question: {{"tool": "…", "signal": "…", "other": "…", "seconds": 300, "question": "…"}} with a tool of:
stats, slope, window (signal, seconds); correlate (signal, other, seconds); compare_baseline (signal); priors; events;
sub_question (question: one part of the problem, for a colleague with the same tools).
Each answer brings facts with ids that you may cite.
The answer: {{"tool": "answer", …}} and with it: {FORM}"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a decomposition may cost."""

    depth: int = 2
    """Levels of sub-questions below the root."""
    calls: int = 10
    """Calls of the model, all levels together."""
    tokens: int = 40_000
    seconds: float = 45.0


@dataclass(slots=True)
class _Run:
    llm: LanguageModel
    case: Case
    bounds: Bounds
    clock: Callable[[], float]
    book: FactBook
    began: float = 0.0
    tokens_before: int = 0
    calls: int = 0
    trace: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    @property
    def rules(self) -> Rulebook:
        return replace(self.case.rules, facts=self.book.known)

    @property
    def left_s(self) -> float:
        return self.bounds.seconds - (self.clock() - self.began)

    def spent(self) -> str:
        """Which bound is reached; empty while there is room for a call."""
        used = self.llm.spent.prompt_tokens + self.llm.spent.completion_tokens - self.tokens_before
        if self.calls >= self.bounds.calls:
            return counted(self.bounds.calls, "call")
        if used >= self.bounds.tokens:
            return f"{self.bounds.tokens} tokens"
        return f"{self.bounds.seconds:g} s" if self.left_s <= 0 else ""


@dataclass(frozen=True, slots=True)
class Decomposed:
    """How it went; `said` is None where there is no answer, and then `why` says so."""

    said: dict[str, Any] | None
    case: Case
    """With the facts that were asked for."""
    trace: tuple[str, ...]
    sent: tuple[str, ...]
    why: str = ""


async def decompose(
    llm: LanguageModel,
    case: Case,
    bounds: Bounds | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Decomposed:
    """Let the model ask its way to an answer. Never raises for what a model does."""
    run = _Run(llm, case, bounds or Bounds(), clock, _concluded(case))
    run.began = clock()
    run.tokens_before = llm.spent.prompt_tokens + llm.spent.completion_tokens
    said = await _level(run, "Which of the ranked causes fits best, and why?", 0)
    answered = isinstance(said, dict)
    return Decomposed(
        said if isinstance(said, dict) else None,
        replace(case, facts=run.book.known, rules=run.rules),
        tuple(run.trace),
        tuple(run.sent),
        "" if answered else str(said),
    )


def _concluded(case: Case) -> FactBook:
    """Facts of what the rules concluded and advise: those are told, the data behind them is asked for."""
    told = facts(replace(case.context, rows=()), case.found["advisories"])
    return FactBook(dict(told))


async def _level(run: _Run, question: str, depth: int) -> dict[str, Any] | str:
    """One level of questions; the answer, or why there is none."""
    messages = _opening(run, question, depth)
    run.sent += [f"{m['role']}: {m['content']}" for m in messages]
    form = _form(run)
    while True:
        reached = run.spent()
        if reached:
            return f"stopped at {reached}"
        if run.calls == run.bounds.calls - 1:
            messages.append({"role": "user", "content": LAST})
        run.calls += 1
        turn = await run.llm.ask(messages, form, run.left_s)
        if isinstance(turn, str):
            return turn
        if turn.get("tool") == "answer":
            run.trace.append(f"decomposed: depth {depth}, answer after {counted(run.calls, 'call')}")
            return turn
        asked = Asked.of(turn)
        rows = await _answered(run, asked, depth)
        told = "\n".join(rows)[:RESULT_CHARS]
        run.trace.append(f"decomposed: depth {depth}, {asked}: {counted(len(rows), 'line')}")
        run.sent.append(f"tool: {told}")
        messages.append({"role": "assistant", "content": str(asked)})
        messages.append({"role": "user", "content": f"<data>\n{told}\n</data>"})


async def _answered(run: _Run, asked: Asked, depth: int) -> list[str]:
    if asked.tool != "sub_question":
        return answer(asked, run.case.context, run.book)
    if depth >= run.bounds.depth:
        return ["no deeper sub-question is allowed: ask the tools"]
    if not asked.question:
        return ["a sub_question needs a question"]
    said = await _level(run, asked.question, depth + 1)
    if isinstance(said, str):
        return [f"no answer: {said}"]
    checked = verify(said, run.rules)
    return [quoted(statement) for statement in checked.statements] or ["nothing that could be verified"]


def _opening(run: _Run, question: str, depth: int) -> list[dict[str, str]]:
    context, rules = run.case.context, run.case.rules
    lines = [
        f"Question: {quoted(question)}" if depth else question,
        f"Ranked causes: {', '.join(sorted(rules.causes)) or 'none'}.",
        f"Advised actions: {', '.join(sorted(rules.actions)) or 'none'}.",
        "<data>",
        *(quoted(row) for row in described(context)),
        *(quoted(f"{fact.id} {fact.shown}") for fact in _concluded(run.case).known.values()),
        *(quoted(f"anomaly: {a.get('summary')}") for a in context.entries("anomalies")),
        "</data>",
    ]
    return [
        {"role": "system", "content": f"{SYSTEM}\n{TASK}"},
        {"role": "user", "content": "\n".join(lines)},
    ]


def _form(run: _Run) -> Form:
    """A question and an answer in one flat schema, which every server that takes schemas can hold to."""
    final = schema(run.case.rules)
    text = {"type": ["string", "null"]}
    asked = {"signal": text, "other": text, "seconds": {"type": ["number", "null"]}, "question": text}
    tools = {"type": "string", "enum": [*TOOLS, "sub_question", "answer"]}
    properties = {"tool": tools, **asked, **final["properties"]}
    return Form({**final, "required": list(properties), "properties": properties}, ("tool",))
