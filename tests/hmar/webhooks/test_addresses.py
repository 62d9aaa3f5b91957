"""Which addresses a receiver may have."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from hmar.errors import ParameterError
from hmar.webhooks.addresses import LONGEST_URL, Target, refusal, target_of

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "169.254.0.5",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "0.0.0.0",
        "0.0.0.7",
        "::",
        "224.0.0.1",
        "ff02::1",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_what_only_this_machine_or_its_host_answers_at_is_refused_unless_it_is_allowed(address: str) -> None:
    assert refusal(address, (), secure=True)
    assert refusal(address, (ip_network("0.0.0.0/0"), ip_network("::/0")), secure=True) is None


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.9", "172.16.5.4", "192.0.2.1", "8.8.8.8", "fd12::9"]
)
def test_addresses_within_a_hospital_and_beyond_are_not_refused_by_https(address: str) -> None:
    assert refusal(address, (), secure=True) is None
    assert refusal(address, LOOPBACK, secure=False)


def test_by_http_only_loopback_is_asked_and_only_where_it_is_allowed() -> None:
    assert refusal("127.0.0.1", LOOPBACK, secure=False) is None
    assert refusal("::1", LOOPBACK, secure=False) is None
    assert refusal("127.0.0.1", (), secure=False)
    assert target_of("http://127.0.0.1:81/x?y=1", LOOPBACK) == Target("127.0.0.1", 81, "/x?y=1", False)
    with pytest.raises(ParameterError, match="http") as refused:
        target_of("http://127.0.0.1/", (ip_network("10.0.0.0/8"),))
    assert "https" in refused.value.remedy


def test_a_url_says_where_it_leads() -> None:
    assert target_of("https://ris.example", ()) == Target("ris.example", 443, "/", True)
    assert target_of("https://RIS.example:8443/a/b", ()) == Target("ris.example", 8443, "/a/b", True)
    assert target_of("https://[fd12::9]/", ()).host == "fd12::9"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ris.example",
        "ftp://ris.example",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://user@ris.example",
        "https://user:secret@ris.example",
        "https://:secret@ris.example",
        "https://ris.example/#secret",
        "https://ris.example:99999",
        "https://ris.example:x",
        "https://[::1",
        "https://ris.example/a b",
        "https://ris.example/\r\nX: secret",
        "https://r\u00efs.example/",
        "https://ris.example/" + LONGEST_URL * "a",
    ],
)
def test_what_is_no_address_of_a_receiver_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ParameterError) as refused:
        target_of(url, LOOPBACK)
    assert "secret" not in str(refused.value)
    assert refused.value.remedy
