"""Writes the requests that clients send: what is in them and how long they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.request import Request, Segment
from inferguard_tui.simulator.rng import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.client import Client
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.traffic import Traffic

STAMP_TOKENS = 12
"""A date and a time of day."""


class Composer:
    """Numbers requests, conversations and contents; the same seed writes the same ones."""

    def __init__(self, traffic: Sequence[Traffic], size: EngineSize, seed: int) -> None:
        self._size = size
        self._mishaps = stream(seed, "mishaps")
        self._numbers = 0
        self._contents = 0
        self._sessions = 0
        self._prefixes = [[self.fresh(t.shared_prefix) for _ in range(t.shared_prefixes)] for t in traffic]

    def next_number(self) -> int:
        """For a request; they count up from 1."""
        self._numbers += 1
        return self._numbers

    def opening(self, client: Client, session: int) -> tuple[tuple[Segment, ...], int]:
        traffic = client.traffic
        if traffic.sessions is not None:
            self._sessions += 1
            session = self._sessions
        if not traffic.shared_prefix:
            return (), session
        return (client.lengths.choice(self._prefixes[client.index]),), session

    def request(self, client: Client, at: float, history: tuple[Segment, ...], session: int) -> Request:
        traffic = client.traffic
        stamped = at >= traffic.stamped_from
        if stamped:
            history = (self.fresh(STAMP_TOKENS), *history)
        limit = self._size.max_model_len
        known = sum(segment.tokens for segment in history)
        prompt = max(1, min(traffic.prompt.draw(client.lengths), limit - known - 2))
        max_tokens = max(1, min(traffic.max_tokens, limit - known - prompt))
        return Request(
            number=self.next_number(),
            arrived_at=at,
            segments=(*history, self.fresh(prompt)),
            max_tokens=max_tokens,
            target_tokens=max_tokens
            if traffic.ignore_eos
            else min(max_tokens, traffic.output.draw(client.lengths)),
            handler=traffic.handler,
            streaming=traffic.streaming,
            acceptance=traffic.acceptance,
            group=client.index,
            session=session,
            pinned=traffic.pinned,
            stamped=stamped,
            ignore_eos=traffic.ignore_eos,
            invalid=self._struck(traffic.invalid.at(at)),
            fails=self._struck(traffic.failing.at(at)),
        )

    def _struck(self, share: float) -> bool:
        return share > 0.0 and self._mishaps.random() < share

    def fresh(self, tokens: int) -> Segment:
        self._contents += 1
        return Segment(self._contents, tokens)
