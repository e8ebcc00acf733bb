"""Line 1: what is watched, whose numbers these are, and the frame's time of day."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.cells import cell_len

from inferguard_core.poll import ProofLevel
from inferguard_core.reading import Engine
from inferguard_tui.formatting import clock, interval
from inferguard_tui.line import Ink, Line, Span, fitted, line, width
from inferguard_tui.panels.measures import span_name
from inferguard_tui.panels.verdict import mark, rank

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


def model_words(endpoint: EndpointFrame, cells: int) -> str:
    """The first model and how many more; without its publisher where that makes it fit."""
    if not endpoint.models:
        return ""
    more = f" +{len(endpoint.models) - 1}" if len(endpoint.models) > 1 else ""
    whole = endpoint.models[0] + more
    return whole if cell_len(whole) <= cells else whole.rpartition("/")[2]


def proof_words(endpoints: Iterable[EndpointFrame]) -> str:
    """`LIVE`, or the several kinds of source that are on screen."""
    return "+".join(dict.fromkeys(_PROOF[endpoint.proof] for endpoint in endpoints))


def _parts(every: str, parts: Iterable[PartHealth]) -> list[Span]:
    """What is down, since when; whether we act; then the poll with its interval, then our other parts."""
    polled = f"poll {every}" if every else "poll"
    down: list[Span] = []
    acting: list[Span] = []
    others: list[Span] = []
    for part in parts:
        if part.part == "poll":
            polled += f" {part.state}"
        elif part.since_unix is not None and part.state != "ok":
            down.append(Span(f"{part.part} {part.state} since {clock(part.since_unix)}", Ink.WARNING))
        elif part.part == "act":
            acting.append(Span(f"act {part.state}", Ink.STRONG))
        else:
            others.append(Span(f"{part.part} {part.state}", Ink.DIM))
    return [*down, *acting, *([Span(polled, Ink.DIM)] if polled != "poll" else []), *others]


def _acts(parts: Iterable[PartHealth]) -> bool:
    return any(part.part == "act" for part in parts)


def _end(frame: Frame, watching: Watching, words: list[Span], cells: int, used: int) -> Line:
    """The right side: state of the view first, the clock last, the rest as far as it fits."""
    time = Span(f"{clock(frame.unix)} ", Ink.STRONG)
    spans: list[Span] = []
    if watching.paused_unix is not None:
        # Two clocks would differ only while paused, and then the second is what misleads.
        time = Span("")
        spans.append(Span(f" PAUSED since {clock(watching.paused_unix)} ", Ink.BADGE))
    room = cells - used - width((*spans, time)) - 2
    for number, word in enumerate(words):
        # The first is whose numbers these are: it stays, whatever else has to go.
        if number and width((word,)) + 2 > room:
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
    proof = Span(f" {_PROOF[endpoint.proof]} ", Ink.BADGE)
    start = [Span(NAME, Ink.FOCUS)]
    if number is not None:
        start.append(Span(f"{number} ", Ink.KEY))
    start += [
        Span(endpoint.name, Ink.STRONG),
        Span(f"  {engine_words(endpoint)}" if engine_words(endpoint) else ""),
    ]
    words = [proof, *_parts(interval(endpoint.interval_s), frame.parts)]
    # That something may be sent from here is worth more than the end of a model's name.
    kept = 2 if _acts(frame.parts) else 1
    least = width(_end(frame, watching, words[:kept], cells, 0)) + 2
    room = max(0, cells - least)
    # The whole name only beside all of our parts; the short one leaves room for those that fit.
    every = width(_end(frame, watching, words, cells, 0))
    model = model_words(endpoint, cells - every - 2 - width(line(*start)) - 2)
    left = fitted(line(*start, Span(f"  {model}" if model else "", Ink.DIM)), room)
    end = fitted(_end(frame, watching, words, cells, width(left)), cells)
    return (*left, Span(" " * max(0, cells - width(left) - width(end))), *end)


def _counted(frame: Frame, start: Line, cells: int) -> Line:
    """`start` and how many endpoints are in each state, worst first; what does not fit is left out whole."""
    counts = Counter(endpoint.status for endpoint in frame.endpoints)
    for status in sorted(counts, key=rank, reverse=True):
        longer = (*start, Span(f"  {counts[status]} {status.value}", mark(status)[1]))
        if width(longer) > cells:
            break
        start = longer
    return start


def fleet_header(frame: Frame, watching: Watching, cells: int) -> Line:
    count = len(frame.endpoints)
    start = line(Span(NAME, Ink.FOCUS), Span(f"{count} endpoint{'' if count == 1 else 's'}", Ink.STRONG))
    intervals = {endpoint.interval_s for endpoint in frame.endpoints}
    every = interval(intervals.pop()) if len(intervals) == 1 else ""
    charts = Span(f"charts {span_name(watching.span_s)}", Ink.DIM)
    proof = Span(f" {proof_words(frame.endpoints)} ", Ink.BADGE)
    words = [proof, *_parts(every, frame.parts), charts]
    kept = 2 if _acts(frame.parts) else 1
    least = width(_end(frame, watching, words[:kept], cells, 0)) + 2
    left = _counted(frame, fitted(start, max(0, cells - least)), cells - least)
    end = fitted(_end(frame, watching, words, cells, width(left)), cells)
    return (*left, Span(" " * max(0, cells - width(left) - width(end))), *end)
