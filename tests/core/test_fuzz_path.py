"""Spoilt pages through the whole path: nothing crashes, nothing impossible is shown, and health is not called trouble.

Real expositions of both engines, mutated; `INFERGUARD_FUZZ=100000` runs the full count.
"""

from __future__ import annotations

import math
import os
import random
import re
from dataclasses import replace
from pathlib import Path
from unicodedata import category

import pytest

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.sources.recording import RecordingFile
from inferguard_core.watch import EndpointWatch

FIXTURES = Path(__file__).parents[1] / "fixtures"
COUNT = int(os.environ.get("INFERGUARD_FUZZ", "2400"))
SPOILT_SHARE = 0.7
"""The rest of the pages stay as they are, so that there is a history to be led astray from."""
VALUE = re.compile(r" [0-9.eE+-]+$")
ODD = ("NaN", "-1", "1e308", "+Inf", "-Inf", "0", "1e-300", "9" * 40, "", "0x10", "١٢")
KINDS = 6


def pages(name: str) -> list[Poll]:
    opened = RecordingFile.open(FIXTURES / "recordings" / f"{name}.jsonl.gz")
    assert isinstance(opened, RecordingFile)
    return list(opened.load().polls)


def captures() -> list[str]:
    return [p.read_text("utf-8") for p in sorted((FIXTURES / "captures").glob("*.txt"))]


def mutated(body: str, rng: random.Random) -> str:
    """A page with one to four things wrong with it."""
    lines = body.split("\n")
    for _ in range(rng.randint(1, 4)):
        lines = _mutation(lines, rng)
    return "\n".join(lines)


def _mutation(lines: list[str], rng: random.Random) -> list[str]:
    which = rng.randrange(KINDS)
    if which == 0 or len(lines) < 2:
        return lines[: rng.randint(0, len(lines))]
    at = rng.randrange(len(lines))
    if which == 1:
        gone = rng.randint(1, 20)
        return lines[:at] + lines[at + gone :]
    if which == 2:
        return lines[:at] + lines[at : at + rng.randint(1, 20)] + lines[at:]
    for i in range(at, min(len(lines), at + rng.randint(1, 30))):
        lines[i] = _spoilt(lines[i], which, rng)
    return lines


def _spoilt(line: str, which: int, rng: random.Random) -> str:
    if which == 3:
        return VALUE.sub(f" {rng.choice(ODD)}", line)
    if which == 4:
        number = VALUE.search(line)
        factor = rng.choice((0.0, 0.5, -1.0, 2.0, 1e6))
        try:
            return line if number is None else f"{line[: number.start()]} {float(number.group()) * factor}"
        except ValueError:
            return line
    cut = rng.randint(0, len(line))
    return line[:cut] + "".join(map(chr, rng.choices(range(1, 0x2FF), k=rng.randint(0, 8)))) + line[cut:]


def disordered(polls: list[Poll], rng: random.Random) -> list[Poll]:
    """Now and then two neighbours change their order, one comes twice, or the wall clock jumps."""
    polls = list(polls)
    for _ in range(len(polls) // 20):
        at = rng.randrange(len(polls) - 1)
        odd = rng.randrange(3)
        if odd == 0:
            polls[at], polls[at + 1] = polls[at + 1], polls[at]
        elif odd == 1:
            polls.insert(at, polls[at])
        else:
            polls[at] = replace(polls[at], unix=polls[at].unix + rng.choice((-86_400.0, 3600.0)))
    return polls


def check(watch: EndpointWatch, unix: float) -> None:
    frame = endpoint_frame(watch, unix, 0.0)
    for measure in frame.measures.values():
        if measure.value is None:
            assert measure.why_unknown
        else:
            assert math.isfinite(measure.value)
            assert measure.unit != "ratio" or -1e-9 <= measure.value <= 1.05
    for anomaly in frame.anomalies:
        assert anomaly.evidence or anomaly.kind == "engine_restart"
        assert "nan" not in anomaly.summary
        assert anomaly.onset_unix <= unix + 86_401.0
    words = (*frame.doubts, *frame.models, *(a.summary for a in frame.anomalies))
    assert not [t for t in words if any(category(c)[0] == "C" for c in t)]


RECORDED = ("vllm-0.32-healthy", "vllm-0.32-kv_pressure", "vllm-0.32-stall", "sglang-0.5.23-kv_pressure")


@pytest.mark.parametrize("name", RECORDED)
def test_spoilt_polls_of_a_recording(name: str) -> None:
    polls, done, seed = pages(name), 0, 0
    while done < COUNT // len(RECORDED) // 2:
        rng = random.Random(f"{name}/{seed}")
        watch = EndpointWatch("http://a", "a", 1.0, ProofLevel.RECORDED, Limits())
        for poll in disordered(polls, rng):
            spoil = poll.body is not None and rng.random() < SPOILT_SHARE
            seen = replace(poll, body=mutated(poll.body or "", rng)) if spoil else poll
            watch.observe(seen)
            check(watch, seen.unix)
            done += 1
        seed += 1


def test_spoilt_pages_of_every_version() -> None:
    bodies = captures()
    for i in range(max(1, COUNT // 2 // 8)):
        rng = random.Random(i)
        watch = EndpointWatch("http://a", "a", 2.0, ProofLevel.RECORDED, Limits())
        body = rng.choice(bodies)
        for t in range(8):
            unix = 1.8e9 + 2.0 * t
            watch.observe(Poll(2.0 * t, unix, 1.0, body=mutated(body, rng) if t % 2 else body))
            check(watch, unix)
