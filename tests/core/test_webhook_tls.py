"""Receivers behind TLS: whose certificate is trusted, by which setting, and that nothing leaves where it is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from inferguard_core.actuation.payload import headers
from inferguard_core.actuation.webhook import Reply, send
from inferguard_core.alerts.post import Poster, poster
from inferguard_core.followup import Outcome
from inferguard_core.secret import SecretStr
from inferguard_core.settings import Settings
from inferguard_core.settings.loading import load
from inferguard_core.sources.access import Access
from inferguard_tui.acting import policy
from tests.core.receivers import answer, receiver
from tests.e2e import hostile

if TYPE_CHECKING:
    from pathlib import Path

SECRET = SecretStr("correct horse")


async def sent(url: str, access: Access) -> Reply:
    return await send(url, b"{}", headers(b"{}", "key", SECRET, time.time()), 3.0, access)


async def test_a_certificate_of_the_ca_file_is_trusted(tmp_path: Path) -> None:
    authority = hostile.Authority(tmp_path)
    async with receiver(answer(), authority.context()) as seen:
        assert await sent(seen.url, Access(ca=authority.file)) == Reply(Outcome.APPLIED, "", "job-7")
    (one,) = seen.taken
    assert one.header("X-InferGuard-Signature")


async def test_a_certificate_of_the_system_s_store_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is how OpenSSL is told of another store; without a CA file of ours it holds."""
    authority = hostile.Authority(tmp_path)
    async with receiver(answer(), authority.context()) as seen:
        assert (await sent(seen.url, Access())).outcome is Outcome.NOT_SENT
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert (await sent(seen.url, Access())).outcome is Outcome.APPLIED
    assert len(seen.taken) == 1


@pytest.mark.parametrize("what", ["unknown authority", "self-signed", "another host", "expired", "not yet"])
async def test_any_other_certificate_is_told_nothing(tmp_path: Path, what: str) -> None:
    trusted, other = hostile.Authority(tmp_path), tmp_path / "other"
    other.mkdir()
    context = {
        "unknown authority": lambda: hostile.Authority(other).context(),
        "self-signed": lambda: hostile.self_signed(other),
        "another host": lambda: trusted.context("webhook.example"),
        "expired": lambda: trusted.context(valid_days=(-20, -10)),
        "not yet": lambda: trusted.context(valid_days=(10, 20)),
    }[what]()
    async with receiver(answer(), context) as seen:
        got = await sent(seen.url, Access(ca=trusted.file))
    assert got.outcome is Outcome.NOT_SENT
    assert "its certificate is not accepted" in got.detail
    assert "INFERGUARD_CA_FILE" in got.detail
    assert seen.taken == []


def test_the_engines_insecure_and_credentials_are_not_the_webhook_s(tmp_path: Path) -> None:
    authority = hostile.Authority(tmp_path)
    settings = load({"access.ca_file": str(authority.file), "access.bearer_token": "t0ken"})
    assert isinstance(settings, Settings)
    assert policy(settings).access == Access(ca=authority.file)
    careless = load({"access.insecure": True})
    assert isinstance(careless, Settings)
    assert policy(careless).access == Access()


async def test_alerts_trust_the_same(tmp_path: Path) -> None:
    authority = hostile.Authority(tmp_path)
    async with receiver(answer(), authority.context()) as seen:
        posters = [poster(SecretStr(seen.url), Access(ca=ca)) for ca in (authority.file, None)]
        trusting, doubting = (each for each in posters if isinstance(each, Poster))
        assert (await trusting.post({})).trouble == ""
        trouble = (await doubting.post({})).trouble
        await trusting.close()
        await doubting.close()
    assert "its certificate is not accepted" in trouble
    assert "INFERGUARD_CA_FILE" in trouble
    assert len(seen.taken) == 1
