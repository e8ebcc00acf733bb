"""Only passive GETs leave the process."""

from __future__ import annotations

import httpx
import pytest

from inferguard_core.reading import Engine
from inferguard_core.sources.access import Access
from inferguard_core.sources.client import open_client
from inferguard_core.sources.guard import ENGINE_EXTENSION, PASSIVE_PATHS, ForbiddenRequestError, refusal
from tests.e2e.hostile import by_path, listening, response

STATE_CHANGING = [
    "/flush_cache",
    "/slow_down",
    "/start_profile",
    "/health_generate",
    "/release_memory_occupation",
    "/v1/completions",
    "/reset_prefix_cache",
    "/metrics/../flush_cache",
    "/flush_cache%3F/metrics_",
    "/",
    "",
]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get"])
def test_no_method_but_get(method):
    assert refusal(method, "/metrics", Engine.VLLM)


@pytest.mark.parametrize("path", STATE_CHANGING)
@pytest.mark.parametrize("engine", list(Engine))
def test_no_path_off_the_list(path, engine):
    assert refusal("GET", path, engine)


@pytest.mark.parametrize("path", PASSIVE_PATHS)
@pytest.mark.parametrize("mount", ["", "/engines/a"])
def test_listed_paths_pass_also_behind_a_mount_point(path, mount):
    assert refusal("GET", mount + path) is None


def test_health_is_passive_on_vllm_only():
    assert refusal("GET", "/health", Engine.VLLM) is None
    assert refusal("GET", "/health", Engine.SGLANG)
    assert refusal("GET", "/health", Engine.UNKNOWN)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/metrics"), ("GET", "/flush_cache"), ("GET", "/flush_cache?/metrics"), ("GET", "/health")],
)
async def test_a_forbidden_request_opens_no_connection(method, path):
    connections = []

    async def answer(reader, writer):
        connections.append(await reader.read(1))

    async with listening(answer) as at:
        client = open_client(Access(timeout_s=2))
        assert isinstance(client, httpx.AsyncClient)
        async with client:
            with pytest.raises(ForbiddenRequestError, match="not a read-only request"):
                await client.request(method, f"http://{at}{path}")
    assert connections == []


async def test_the_request_says_which_engine_it_is_for():
    asked = []
    async with listening(by_path({"/health": response("")}, asked)) as at:
        client = open_client(Access(timeout_s=2))
        assert isinstance(client, httpx.AsyncClient)
        async with client:
            await client.get(f"http://{at}/health", extensions={ENGINE_EXTENSION: Engine.VLLM})
    assert asked == ["/health"]
