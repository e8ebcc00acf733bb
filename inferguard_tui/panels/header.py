"""Line 1: what is watched, whose numbers these are, and the frame's time of day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.poll import ProofLevel
from inferguard_core.reading import Engine
from inferguard_tui.formatting import clock, interval
from inferguard_tui.line import Ink, Line, Span, fitted, line, width

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inferguard_core.frame import EndpointFrame, Frame, PartHealth
    from inferguard_tui.panels.view import Watching

NAME = " InferGuard "
_ENGINES = {Engine.VLLM: "vLLM", Engine.SGLANG: "SGLang", Engine.UNKNOWN: ""}
_PROOF = {ProofLevel.LIVE: "LIVE", ProofLevel.SIMULATED: "SIMULATED", ProofLevel.RECORDED: "REPLAY"}


def engine_words(endpoint: EndpointFrame) -> str:
    """`vLLM 0.32.0`, or as much of it as is known."""
    return " ".join(part for part in (_ENGINES[endpoint.engine], endpoint.engine_version or "") if part)


def _models(endpoint: EndpointFrame) -> str:
    if not endpoint.models:
        return ""
    more = f" +{len(endpoint.models) - 1}" if len(endpoint.models) > 1 else ""
    return endpoint.models[0] + more


def proof_words(endpoints: Iterable[EndpointFrame]) -> str:
    """`LIVE`, or the several kinds of source that are on screen."""
    return "+".join(dict.fromkeys(_PROOF[endpoint.proof] for endpoint in endpoints))


def _parts(parts: Iterable[PartHealth]) -> list[Span]:
    return [Span(f"{part.part} {part.state}", Ink.DIM) for part in parts]


def _end(frame: Frame, watching: Watching, words: list[Span], cells: int, used: int) -> Line:
    """The right side: state of the view first, the clock last, the rest as far as it fits."""
    time = Span(f"{clock(frame.unix)} ", Ink.STRONG)
    spans: list[Span] = []
    if watching.paused_unix is not None:
        # Two clocks would differ only while paused, and then the second is what misleads.
        time = Span("")
        spans.append(Span(f" PAUSED since {clock(watching.paused_unix)} ", Ink.BADGE))
    room = cells - used - width((*spans, time)) - 2
    for word in words:
        if width((word,)) + 2 > room:
            break
        spans.append(word)
        room -= width((word,)) + 2
    joined: list[Span] = []
    for span in (*spans, time):
        joined += [Span("  "), span] if joined and span.text else [span]
    return line(*joined)


def endpoint_header(
    frame: Frame, endpoint: EndpointFrame, number: int | None, watching: Watching, cells: int
) -> Line:
    """`number` is the endpoint's place in the fleet, None when it is alone."""
    proof = Span(_PROOF[endpoint.proof], Ink.BADGE)
    start = [Span(NAME, Ink.FOCUS)]
    if number is not None:
        start.append(Span(f"{number} ", Ink.KEY))
    start += [Span(endpoint.name, Ink.STRONG), Span(f"  {engine_words(endpoint)}" if engine_words(endpoint) else "")]
    words = [proof, Span(f"poll {interval(endpoint.interval_s)}", Ink.DIM), *_parts(frame.parts)]
    least = width(_end(frame, watching, [proof], cells, 0)) + 1
    model = Span(f"  {_models(endpoint)}" if endpoint.models else "", Ink.DIM)
    left = fitted(line(*start, model), max(0, cells - least))
    end = fitted(_end(frame, watching, words, cells, width(left)), cells)
    return (*left, Span(" " * max(0, cells - width(left) - width(end))), *end)


def fleet_header(frame: Frame, watching: Watching, cells: int) -> Line:
    count = len(frame.endpoints)
    start = line(Span(NAME, Ink.FOCUS), Span(f"{count} endpoint{'' if count == 1 else 's'}", Ink.STRONG))
    intervals = {endpoint.interval_s for endpoint in frame.endpoints}
    words = [Span(proof_words(frame.endpoints), Ink.BADGE)]
    if len(intervals) == 1:
        words.append(Span(f"poll {interval(intervals.pop())}", Ink.DIM))
    left = fitted(start, cells)
    end = fitted(_end(frame, watching, [*words, *_parts(frame.parts)], cells, width(left)), max(0, cells - width(left)))
    return (*left, Span(" " * max(0, cells - width(left) - width(end))), *end)
