"""SGLang's /v1/loads, for a server that was started without --enable-metrics and so has no /metrics.

It tells the queue and the KV pool of each data-parallel rank, from 0.5.8 on, at the price of a message to each
scheduler. Throughput and hit rate are left out: without --enable-metrics they stand at 0 whatever happens.
"""

from __future__ import annotations

from typing import Final

ROUTE: Final = "/v1/loads?include=core&format=prometheus"
FLAG: Final = "--enable-metrics"
"""What the server lacks."""

_NAMES: Final = {
    "sglang_num_running_reqs": "sglang_num_running_reqs",
    # Summed over all queues of the scheduler, as our own sum over /metrics is.
    "sglang_num_waiting_reqs": "sglang_num_queue_reqs",
    "sglang_num_used_tokens": "sglang_num_used_tokens",
    "sglang_max_total_num_tokens": "sglang_max_total_num_tokens",
    "sglang_token_usage": "sglang_token_usage",
}
"""The route's names to those of /metrics as a re-export spells them."""


def page_of(text: str) -> str | None:
    """What can be trusted of an answer, as a page; None where it holds nothing of it."""
    lines = []
    for line in text.splitlines():
        name, brace, rest = line.partition("{")
        if brace and name in _NAMES:
            lines.append(f"{_NAMES[name]}{{{rest}")
    return "\n".join(lines) + "\n" if lines else None
