"""The client classes that most scenarios share."""

from __future__ import annotations

from inferguard_tui.simulator.traffic import Bursts, Lengths, Rate, Sessions, Traffic

CHAT = Traffic(
    name="chat",
    rate=Rate.constant(0.9),
    prompt=Lengths(220, 0.7, minimum=12, maximum=4000),
    output=Lengths(240, 0.6, minimum=8),
    max_tokens=1024,
    shared_prefix=900,
    bursts=Bursts(factor=2.0, every_s=40.0, length_s=8.0),
    sessions=Sessions(turns=3.0, think_s=12.0),
)
"""People in conversation: a common system prompt, short turns, history that grows and is mostly cached."""

COMPLETIONS = Traffic(
    name="completions",
    rate=Rate.constant(1.0),
    prompt=Lengths(800, 0.6, minimum=50, maximum=6000),
    output=Lengths(160, 0.6, minimum=4),
    max_tokens=512,
    handler="/v1/completions",
)
"""A background service with prompts of its own."""

REPORTS = Traffic(
    name="reports",
    rate=Rate(((8.0, 0.0), (8.0, 6.0), (26.0, 6.0), (26.0, 2.0), (120.0, 2.0), (120.0, 0.0))),
    prompt=Lengths(900, 0.4, minimum=100, maximum=6000),
    output=Lengths(1450, 0.25, minimum=200),
    max_tokens=1800,
)
"""A batch of long generations, more than the pool holds at once: first a crowd, then a steady stream."""

USUAL = (CHAT, COMPLETIONS)
"""Mixed traffic that keeps a default engine a good tenth busy."""
