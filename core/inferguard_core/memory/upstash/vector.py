"""Incidents by meaning, in an Upstash Vector index with an embedding model of its own.

Only words travel: what an incident was called, its causes and notes, as the full-text index has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.memory.case import Case
from inferguard_core.memory.codec import decode
from inferguard_core.memory.upstash.outbox import parsed
from inferguard_core.memory.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upstash_vector import AsyncIndex

    from inferguard_core.memory.upstash.outbox import Item

NAMESPACE = "inferguard"
MOST_CHARS = 6_000
"""Of an incident's words; models read no further."""


def connected(url: str, token: str) -> AsyncIndex:
    """The client; nothing is sent yet."""
    from upstash_vector import AsyncIndex

    return AsyncIndex(url.rstrip("/"), token, retries=0, allow_telemetry=False)


async def send(index: AsyncIndex, items: Sequence[Item]) -> None:
    """Put these incidents into the index, or in the place of their earlier versions."""
    from upstash_vector.types import Data

    rows = []
    for item in items:
        whole = parsed(item.body)
        if item.kind != "case" or whole is None:
            continue
        case = decode(Case, whole)
        about = {"endpoint": item.endpoint, "cause": case.cause, "opened_unix": item.unix}
        rows.append(Data(id=item.key, data=words_of(case)[:MOST_CHARS], metadata=about))
    if rows:
        await index.upsert(vectors=rows, namespace=NAMESPACE)


async def ask(index: AsyncIndex, text: str, limit: int) -> list[str]:
    """Ids of the incidents nearest to the words, nearest first."""
    found = await index.query(data=text[:MOST_CHARS], top_k=limit, namespace=NAMESPACE)
    return [str(one.id) for one in found]
