"""One turn against servers on real sockets, most of which misbehave."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from inferguard_core.replay.client import Api, open_load_client
from inferguard_core.replay.outcome import Counted, Ending, TurnOutcome
from inferguard_core.replay.send import Sender, Target
from inferguard_core.secret import SecretStr
from inferguard_core.sources.access import Access
from inferguard_core.sources.address import parse_address
from inferguard_core.sources.guard import ForbiddenRequestError
from tests.e2e import hostile
from tests.replay.exports import DONE, HEAD, data, session, streaming, token, turn, usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "not-to-be-shown"


@asynccontextmanager
async def client(access: Access) -> AsyncIterator[httpx.AsyncClient]:
    opened = open_load_client(access)
    assert isinstance(opened, httpx.AsyncClient)
    async with opened:
        yield opened


async def sent(answer: hostile.Answer, **how: Any) -> TurnOutcome:
    access = Access(bearer=SecretStr(SECRET))
    async with hostile.listening(answer) as at, client(access) as http:
        address = parse_address(at)
        target = Target(address, access, "m", **{"deadline_s": 5.0, **how})
        one = turn(text="x" * 40)
        return await Sender(http, target).send(session("s", one), one, time.monotonic())


async def test_times_are_from_the_first_token_of_content_and_to_the_end() -> None:
    role = data({"choices": [{"delta": {"role": "assistant", "content": ""}}]})
    parts = (HEAD, role, 0.2, token("a"), 0.1, token("b"), 0.1, token("c", finish="stop"), usage(7, 3), DONE)
    outcome = await sent(streaming(*parts))
    assert outcome.ending is Ending.ANSWERED
    assert 0.2 <= outcome.ttft_s < 0.35
    assert [0.1 <= gap < 0.2 for gap in outcome.gaps_s] == [True, True]
    assert 0.4 <= outcome.e2e_s < 0.7
    assert outcome.tpot_s == pytest.approx(sum(outcome.gaps_s) / 2)
    assert (outcome.prompt_tokens, outcome.output_tokens, outcome.counted) == (7, 3, Counted.SERVER)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
async def test_a_token_of_reasoning_is_the_first_token(key: str) -> None:
    parts = (HEAD, token("hm", key=key), 0.3, token("a", finish="stop"), DONE)
    outcome = await sent(streaming(*parts))
    assert outcome.ttft_s < 0.2
    assert outcome.pieces == 2


async def test_time_per_token_is_over_the_tokens_the_server_counted() -> None:
    """Two pieces of four tokens each: eight tokens, seven steps."""
    parts = (HEAD, token("a b c d"), 0.35, token("e f g h", finish="length"), usage(5, 8), DONE)
    outcome = await sent(streaming(*parts))
    assert outcome.tpot_s == pytest.approx(0.05, abs=0.02)


async def test_without_usage_tokens_are_approximate_and_say_so() -> None:
    parts = (HEAD, token("a"), token("b"), token("c", finish="stop"), DONE)
    outcome = await sent(streaming(*parts))
    assert (outcome.prompt_tokens, outcome.output_tokens) == (10, 3)
    assert outcome.counted is Counted.APPROXIMATE
    uncounted = await sent(streaming(*parts), approximate=False)
    assert (uncounted.prompt_tokens, uncounted.output_tokens, uncounted.tpot_s) == (None, None, None)
    assert uncounted.counted is Counted.NOT_AT_ALL


@pytest.mark.parametrize(
    ("api", "path", "field"),
    [(Api.CHAT, "/v1/chat/completions", "messages"), (Api.COMPLETIONS, "/v1/completions", "prompt")],
)
async def test_what_is_asked(api: Api, path: str, field: str) -> None:
    asked: list[dict[str, Any]] = []
    await sent(streaming(HEAD, token(finish="stop"), DONE, asked=asked), api=api)
    (body,) = asked
    assert (body["path"], body["model"], body["max_tokens"], body["stream"]) == (path, "m", 8, True)
    assert body["stream_options"] == {"include_usage": True}
    assert field in body
    assert f"authorization: bearer {SECRET}" in body["head"].lower()


CUT = HEAD.replace(b"Connection: close", b"Content-Length: 100000")
LIMITED = hostile.saying(
    hostile.response(
        '{"error": {"message": "too many requests"}}', "429 Too Many Requests", Connection="close"
    )
)
ECHOING = hostile.saying(
    hostile.response(f'{{"message": "bad key Bearer {SECRET}"}}', "401 Unauthorized", Connection="close")
)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (LIMITED, "HTTP 429", "too many requests"),
        (hostile.failing, "HTTP 500", "without a reason"),
        (hostile.redirecting, "HTTP 302", "without a reason"),
        (ECHOING, "HTTP 401", "bad key ***"),
        (hostile.html, "NotAStream", "text/html"),
        (streaming(HEAD, token(), b"data: {oops\n\n"), "NotAStream", "not JSON: {oops"),
        (streaming(HEAD, token(), data({"error": {"message": "engine died"}})), "NotAStream", "engine died"),
        (streaming(HEAD, b"\x00\xff" * 2**20), "NotAStream", "more than"),
        (streaming(HEAD, token(), token()), "CutOff", "after 2 pieces"),
        (streaming(CUT, token()), "Disconnected", "closed the connection"),
        (streaming(HEAD, DONE), "Empty", "without a token"),
        (hostile.closing, "Disconnected", "closed the connection"),
        (hostile.ssh, "NotMetrics", "does not answer in HTTP"),
        (hostile.hung, "TimedOut", "within 0.5 s"),
        (streaming(HEAD, *[token(), 0.1] * 50), "TimedOut", "within 0.5 s"),
    ],
    ids=[
        "429",
        "500",
        "302",
        "echo",
        "html",
        "garbage",
        "error",
        "endless",
        "unended",
        "cut",
        "empty",
        "closing",
        "ssh",
        "hung",
        "slow",
    ],
)
async def test_each_failure_is_a_value_with_its_kind(answer: hostile.Answer, error: str, said: str) -> None:
    outcome = await sent(answer, deadline_s=0.5)
    assert outcome.ending is Ending.FAILED
    assert outcome.error == error
    assert said in outcome.message
    assert SECRET not in outcome.message
    assert (outcome.prompt_tokens, outcome.output_tokens) == (None, None)


async def test_nobody_listening_is_refused() -> None:
    async with hostile.listening(hostile.good) as at:
        pass
    access = Access()
    async with client(access) as http:
        one = turn()
        outcome = await Sender(http, Target(parse_address(at), access, "m")).send(session("s"), one, 0.0)
    assert outcome.error == "Refused"


async def test_a_turn_that_is_cancelled_keeps_what_came() -> None:
    access = Access()
    async with hostile.listening(streaming(HEAD, token(), 30.0)) as at, client(access) as http:
        one = turn()
        sending = asyncio.create_task(
            Sender(http, Target(parse_address(at), access, "m")).send(session("s"), one, 0.0)
        )
        await asyncio.sleep(0.3)
        sending.cancel()
        outcome = await sending
    assert outcome.ending is Ending.INTERRUPTED
    assert outcome.pieces == 1
    assert outcome.ttft_s is not None


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/completions"), ("POST", "/flush_cache"), ("POST", "/v1/completions?x=1")],
)
async def test_the_client_sends_nothing_but_generation_requests(method: str, path: str) -> None:
    async with client(Access()) as http:
        with pytest.raises(ForbiddenRequestError):
            await http.request(method, f"http://127.0.0.1:9{path}")
