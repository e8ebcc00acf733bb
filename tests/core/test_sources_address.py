"""How an endpoint argument is read, and what is said of one that cannot be."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.bad_input import BadInput


@pytest.mark.parametrize(
    ("text", "url", "name"),
    [
        ("gpu1:8000", "http://gpu1:8000", "gpu1:8000"),
        ("  GPU1.example:8000 ", "http://gpu1.example:8000", "gpu1.example:8000"),
        ("http://10.0.0.7:30000", "http://10.0.0.7:30000", "10.0.0.7:30000"),
        ("HTTPS://gw.example/vllm-a/", "https://gw.example/vllm-a", "gw.example:443"),
        ("http://gw.example", "http://gw.example", "gw.example:80"),
        ("localhost:8000/metrics", "http://localhost:8000", "localhost:8000"),
        ("http://gw:80/a/metrics/", "http://gw:80/a", "gw:80"),
        ("[::1]:8000", "http://[::1]:8000", "[::1]:8000"),
        ("https://[2001:DB8::7]:8443/x", "https://[2001:db8::7]:8443/x", "[2001:db8::7]:8443"),
    ],
)
def test_reads_every_written_form(text, url, name):
    assert parse_address(text) == Address(url, name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no host"),
        ("gpu1", "no port"),
        (":8000", "no host"),
        ("gpu1:99999", "1 to 65535"),
        ("gpu1:0", "1 to 65535"),
        ("gpu1:http", "1 to 65535"),
        ("::1:8000", "not an address"),
        ("ftp://gpu1:8000", "scheme ftp:// is not allowed"),
        ("http://gpu1:8000?x=1", "query"),
        ("http://gpu 1:8000", "not a host name"),
        ("http://gpu1:8000/a b", "not a path"),
        ("10.0.0.256:8000", "not a host name"),
        ("10.0.7:8000", "not a host name"),
        ("gpü1:8000", "not a host name"),
        ("gpu1..example:8000", "not a host name"),
        (f"{'a' * 64}:8000", "not a host name"),
        ("[fe80::1%eth0]:8000", "not a host name"),
    ],
)
def test_refuses_with_one_line_that_names_the_value_and_what_is_allowed(text, said):
    refused = parse_address(text)
    assert isinstance(refused, BadInput)
    assert said in refused.message
    assert text in refused.message
    assert "host:port" in refused.message
    assert "\n" not in refused.message


def test_userinfo_becomes_a_login_and_leaves_the_url():
    address = parse_address("https://ops:p%40ss@gw.example:8443/a")
    assert isinstance(address, Address)
    assert address.url == "https://gw.example:8443/a"
    assert address.login
    assert (address.login.user, address.login.password.get_secret_value()) == ("ops", "p@ss")
    assert "ops" not in repr(address)
    assert "p@ss" not in repr(address)


@given(password=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20))
@example("p/w?#")
@example("a@b")
@example("line\nbreak")
def test_no_message_shows_a_password(password):
    secret = f"S3CRET{password}S3CRET"
    for template in (
        "http://u:{}@gpu1:99999",
        "u:{}@gpu1",
        "ftp://u:{}@gpu1:8000",
        "http://u:{}@gpu1:8000?q",
    ):
        result = parse_address(template.format(secret))
        assert "S3CRET" not in str(result)
        assert "S3CRET" not in repr(result)


@given(
    st.text(max_size=60)
    | st.from_regex(r"\A(https?://)?[\w.:\[\]%-]{1,20}(:[0-9]{1,5})?(/[\w.%~+-]{1,9}){0,2}\Z")
)
@example("0.0.0.0:1")
def test_any_text_is_an_address_or_a_line(text):
    result = parse_address(text)
    if isinstance(result, Address):
        assert parse_address(result.url) == Address(result.url, result.name)
        assert str(httpx.URL(result.url)) == result.url
    else:
        assert "\n" not in result.message
