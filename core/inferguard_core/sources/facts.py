"""What an engine says about itself besides /metrics: its version and its models.

Asked at most a few times in an engine's life, since SGLang's answer costs a round trip to each scheduler.
SGLang's /health is never asked: it sends a request through the scheduler.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from inferguard_core.poll import EndpointFacts, Failure, FailureKind, ModelCard
from inferguard_core.printable import printable
from inferguard_core.reading import Engine
from inferguard_core.remediation.tables import exposed_names
from inferguard_core.sources.access import BEARER_SETTING
from inferguard_core.sources.fetch import Page

Ask = Callable[[str], Awaitable[Page | Failure]]
"""GETs a path of the endpoint, within its own deadline."""

_MAX_MODELS = 256
_PASSING = {FailureKind.TIMED_OUT, FailureKind.DISCONNECTED, FailureKind.REFUSED, FailureKind.UNREACHABLE}
_VERSION_PATHS = {
    Engine.VLLM: ("/version",),
    # Renamed in 0.5.6; the old name still answers, with a warning in the engine's log each time.
    Engine.SGLANG: ("/server_info", "/get_server_info"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    facts: EndpointFacts
    incomplete: bool
    """A part failed in a way that may pass: worth asking again later."""


def engine_of(page: str) -> Engine:
    """Whose metrics are on `page`, by the prefix of its families."""
    if "vllm:" in page:
        return Engine.VLLM
    return Engine.SGLANG if "sglang:" in page else Engine.UNKNOWN


async def ask_facts(ask: Ask, engine: Engine) -> Answer:
    """Ask both questions at once. What cannot be had becomes a note; nothing is raised."""
    paths = _VERSION_PATHS.get(engine)
    if not paths:
        return Answer(
            EndpointFacts(notes=("neither vLLM nor SGLang metrics: version and models not asked",)), False
        )
    version, models = await asyncio.gather(_first_offered(ask, paths), _first_offered(ask, ("/v1/models",)))
    notes = [answer for answer in (_note(version), _note(models)) if answer]
    facts = EndpointFacts(
        version=_version(version.page),
        models=_models(models.page),
        notes=tuple(notes),
        config=_config(version.page, engine),
    )
    incomplete = any(
        isinstance(part.page, Failure) and part.page.kind in _PASSING for part in (version, models)
    )
    return Answer(facts, incomplete)


@dataclass(frozen=True, slots=True)
class _Asked:
    path: str
    page: Page | Failure


async def _first_offered(ask: Ask, paths: tuple[str, ...]) -> _Asked:
    """The answer of the first of `paths` that exists."""
    asked = _Asked(paths[0], await ask(paths[0]))
    for path in paths[1:]:
        if not (isinstance(asked.page, Failure) and asked.page.status == HTTPStatus.NOT_FOUND):
            break
        asked = _Asked(path, await ask(path))
    return asked


def _note(asked: _Asked) -> str:
    """Why `asked` gave nothing; empty when it gave an answer."""
    page = asked.page
    if isinstance(page, Page):
        return "" if isinstance(_json(page), dict) else f"{asked.path}: the answer is not a JSON object"
    if page.kind is FailureKind.UNAUTHORIZED:
        return f"{asked.path}: needs the engine's API key; set {BEARER_SETTING}"
    return f"{asked.path}: HTTP {page.status}" if page.status else f"{asked.path}: {page.kind}"


def _json(page: Page | Failure) -> object:
    if isinstance(page, Failure):
        return None
    try:
        return json.loads(page.text)
    except (ValueError, RecursionError):
        return None


def _version(page: Page | Failure) -> str | None:
    match _json(page):
        case {"version": str(version)} if version.strip():
            return printable(version.strip(), 60)
    return None


def _config(page: Page | Failure, engine: Engine) -> dict[str, str]:
    """The server arguments that a fix may want to change, as the engine states them; no others are kept."""
    answer = _json(page)
    if not isinstance(answer, dict):
        return {}
    named = exposed_names(engine)
    stated = ((k, v) for k, v in answer.items() if k in named and isinstance(v, str | int | float))
    return {name: printable(str(value), 60) for name, value in stated}


def _models(page: Page | Failure) -> tuple[ModelCard, ...]:
    match _json(page):
        case {"data": list(entries)}:
            cards = (_card(entry) for entry in entries[:_MAX_MODELS])
            return tuple(card for card in cards if card)
    return ()


def _card(entry: object) -> ModelCard | None:
    match entry:
        case {"id": str(name), "max_model_len": int(length)} if length > 0:
            return ModelCard(printable(name), length)
        case {"id": str(name)}:
            return ModelCard(printable(name))
    return None
