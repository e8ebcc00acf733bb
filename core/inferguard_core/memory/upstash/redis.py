"""Rolling state, the event stream, incidents and what was learnt, in an Upstash Redis.

Every write may be repeated: values are set under their own names, and a line enters a stream once by its id.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from inferguard_core.memory.upstash.outbox import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upstash_redis.asyncio import Redis

    from inferguard_core.memory.records import ReadingRow
    from inferguard_core.memory.upstash.outbox import Item

PREFIX = "inferguard"
STATE_KEPT_S = 3600
SEEN_KEPT_S = 7 * 86400
STREAM_KEPT = 10_000
_APPEND = """
if redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then
  return redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'uid', ARGV[3], 'line', ARGV[4])
end
return ''
"""
"""One step for the server: a line whose id was seen is not appended again."""


def connected(url: str, token: str) -> Redis:
    """The client; nothing is sent yet. Retries are ours: the client's own may run a command twice."""
    from upstash_redis.asyncio import Redis

    return Redis(url.rstrip("/"), token, rest_retries=0, allow_telemetry=False)


async def send(redis: Redis, items: Sequence[Item]) -> None:
    """Tell of these entries in one request. Raises whatever the client raises; all of them may be sent again."""
    pipeline = redis.pipeline()
    for item in items:
        if item.kind == "case":
            pipeline.set(f"{PREFIX}:case:{item.key}", item.body)
            pipeline.zadd(f"{PREFIX}:cases:{item.endpoint}", {item.key: item.unix})
        elif item.kind == "learned":
            pipeline.set(f"{PREFIX}:learned:{item.endpoint}", item.body)
        elif item.body:
            stream = f"{PREFIX}:events:{item.endpoint}" if item.kind == "event" else f"{PREFIX}:audit"
            pipeline.eval(
                _APPEND,
                keys=[f"{PREFIX}:seen:{item.key}", stream],
                args=[str(SEEN_KEPT_S), str(STREAM_KEPT), item.key, item.body],
            )
    await pipeline.exec()


async def set_state(redis: Redis, rows: Sequence[ReadingRow]) -> None:
    """The newest numbers of each endpoint, which expire when nobody renews them."""
    pipeline = redis.pipeline()
    for row in rows:
        key = f"{PREFIX}:state:{row.endpoint}"
        pipeline.set(key, json.dumps({"unix": row.unix, "values": dict(row.values)}), ex=STATE_KEPT_S)
    await pipeline.exec()


async def case_bodies(redis: Redis, endpoint: str, limit: int) -> list[Any]:
    """The newest incidents of an endpoint, parsed."""
    ids = await redis.zrange(f"{PREFIX}:cases:{endpoint}", 0, limit - 1, rev=True)
    return await bodies(redis, [str(one) for one in ids])


async def bodies(redis: Redis, ids: Sequence[str]) -> list[Any]:
    """Incidents by their ids, parsed; what is not there or no JSON is left out."""
    if not ids:
        return []
    found = await redis.mget(*(f"{PREFIX}:case:{one}" for one in ids))
    return [whole for one in found if one is not None and (whole := parsed(one)) is not None]


async def learned(redis: Redis, endpoint: str) -> Any:
    """What an endpoint has taught, parsed; None where nothing is known."""
    found = await redis.get(f"{PREFIX}:learned:{endpoint}")
    return None if found is None else parsed(found)
