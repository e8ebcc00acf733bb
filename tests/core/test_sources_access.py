"""Credentials and trust: used, never shown."""

from __future__ import annotations

import base64

import pytest

from inferguard_core.secret import SecretStr
from inferguard_core.sources.access import Access, Login, authorization, tls_context
from inferguard_core.sources.bad_input import BadInput

TOKEN = SecretStr("tok-123")
LOGIN = Login("ops", SecretStr("pa:ss"))


def test_bearer_token():
    assert authorization(Access(bearer=TOKEN)) == "Bearer tok-123"


def test_basic_login():
    value = authorization(Access(basic=LOGIN))
    assert value
    assert base64.b64decode(value.removeprefix("Basic ")) == b"ops:pa:ss"


def test_a_login_in_the_url_goes_before_the_token():
    assert (authorization(Access(bearer=TOKEN), LOGIN) or "").startswith("Basic ")


def test_nothing_is_sent_when_nothing_is_set():
    assert authorization(Access()) is None


def test_printing_reveals_nothing():
    shown = f"{Access(bearer=TOKEN, basic=LOGIN)!r} {Access(bearer=TOKEN, basic=LOGIN)}"
    for secret in ("tok-123", "pa:ss", "ops"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("not a certificate", "holds no certificate")]
)
def test_a_ca_file_that_cannot_be_used_is_one_line(tmp_path, content, said):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    refused = tls_context(Access(ca=file))
    assert isinstance(refused, BadInput)
    assert str(file) in refused.message
    assert said in refused.message


def test_ca_and_insecure_exclude_each_other(tmp_path):
    assert isinstance(tls_context(Access(ca=tmp_path / "ca.pem", insecure=True)), BadInput)
