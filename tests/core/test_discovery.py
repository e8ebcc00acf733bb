"""Finding engines on this host, among listeners that are none."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from inferguard_core.reading import Engine
from inferguard_core.secret import SecretStr
from inferguard_core.sources.access import Access
from inferguard_core.sources.client import open_client
from inferguard_core.sources.discovery import USUAL_PORTS, Listener, discover, listening_ports
from tests.e2e import hostile
from tests.e2e.hostile import PAGE, listening, response, saying

TITLE = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def table(*sockets):
    rows = (
        f"   {at}: {local} 00000000:0000 {state} 00000000:00000000\n"
        for at, (local, state) in enumerate(sockets)
    )
    return TITLE + "".join(rows)


@pytest.fixture
def net(tmp_path):
    """A /proc/net of a little-endian machine, the only kind these tables were written on."""
    return tmp_path


async def found_at(net, access=None):
    access = access or Access(timeout_s=2)
    client = open_client(access)
    assert isinstance(client, httpx.AsyncClient)
    async with client:
        return await discover(client, access, net=net)


def test_listening_sockets_of_both_families_are_read(net):
    (net / "tcp").write_text(
        table(
            ("0100007F:1F40", "0A"),  # 127.0.0.1:8000
            ("00000000:7530", "0A"),  # 0.0.0.0:30000
            ("0100007F:1F41", "01"),  # established, not listening
            ("0500A8C0:1F42", "0A"),  # 192.168.0.5:8002
            ("0500FEA9:1F43", "0A"),  # 169.254.0.5:8003, link-local
        )
    )
    (net / "tcp6").write_text(
        table(
            ("00000000000000000000000000000000:1F40", "0A"),  # [::]:8000
            ("00000000000000000000000001000000:1F44", "0A"),  # [::1]:8004
            ("0000000000000000FFFF00000100007F:1F45", "0A"),  # [::ffff:127.0.0.1]:8005
        )
    )
    assert sorted(listening_ports(net) or [], key=lambda each: each.port) == [
        Listener(8000, ("127.0.0.1", "::1")),
        Listener(8002, ("192.168.0.5",)),
        Listener(8004, ("::1",)),
        Listener(8005, ("127.0.0.1",)),
        Listener(30000, ("127.0.0.1",)),
    ]


async def test_engines_are_told_from_everything_else_that_listens(net):
    answers = {
        "vllm": hostile.good,
        "sglang": saying(response(PAGE.replace("vllm:", "sglang:"))),
        "exporter": saying(response("node_load1 0.5\n")),
        "html": hostile.html,
        "ssh": hostile.ssh,
        "hung": hostile.hung,
    }
    async with AsyncExitStack() as stack:
        at = {name: await stack.enter_async_context(listening(answer)) for name, answer in answers.items()}
        ports = {name: int(where.rpartition(":")[2]) for name, where in at.items()}
        (net / "tcp").write_text(table(*((f"0100007F:{port:04X}", "0A") for port in ports.values())))
        result = await found_at(net)
    engines = {found.address.url: found.engine for found in result.found}
    assert engines == {f"http://{at['vllm']}": Engine.VLLM, f"http://{at['sglang']}": Engine.SGLANG}
    said = {looked.port: looked.outcome for looked in result.looked}
    assert said.keys() == set(ports.values())
    assert "neither vLLM's nor SGLang's" in said[ports["exporter"]]
    assert "an HTML page" in said[ports["html"]]
    assert "not answer in HTTP" in said[ports["ssh"]]
    assert "no answer within 2 s" in said[ports["hung"]]


async def test_real_listeners_of_this_host_are_seen():
    async with listening(hostile.good) as at:
        port = int(at.rpartition(":")[2])
        listeners = listening_ports(Path("/proc/net"))
        if listeners is None:
            pytest.skip("no /proc/net on this system")
    assert Listener(port, ("127.0.0.1",)) in listeners


async def test_credentials_are_not_sent_to_unknown_listeners(net):
    heads = []

    async def answer(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(response(PAGE))

    async with listening(answer) as at:
        (net / "tcp").write_text(table((f"0100007F:{int(at.rpartition(':')[2]):04X}", "0A")))
        await found_at(net, Access(bearer=SecretStr("tok-123"), timeout_s=2))
    assert heads
    assert b"authorization" not in heads[0].lower()


async def test_ports_of_other_protocols_are_left_alone_and_said(net):
    (net / "tcp").write_text(table(("00000000:0016", "0A"), ("0100007F:18EB", "0A"), ("0100007F:733C", "0A")))
    result = await found_at(net)
    assert [(looked.port, looked.outcome, looked.asked) for looked in result.looked] == [
        (22, "left alone: system port", False),
        (6379, "left alone: Redis", False),
        (29500, "left alone: torch.distributed rendezvous", False),
    ]


async def test_without_proc_the_usual_ports_are_asked(net):
    result = await found_at(net / "absent", Access(timeout_s=0.5))
    assert sorted(looked.port for looked in result.looked) == sorted(USUAL_PORTS)
    assert "usual ports" in result.basis


async def test_many_listeners_are_asked_a_bounded_number_at_a_time(net):
    now, most = 0, 0

    async def counting(reader, writer):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.05)
        now -= 1
        writer.write(response("", "404 Not Found"))

    async with AsyncExitStack() as stack:
        at = [await stack.enter_async_context(listening(counting)) for _ in range(70)]
        (net / "tcp").write_text(
            table(*((f"0100007F:{int(each.rpartition(':')[2]):04X}", "0A") for each in at))
        )
        result = await found_at(net, Access(timeout_s=20))
    assert len(result.looked) == 70
    assert 1 < most <= 32
