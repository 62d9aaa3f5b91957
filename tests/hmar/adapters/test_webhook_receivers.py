"""Deliveries by https: the receiver's certificate is verified, for the name and not for the address."""

from __future__ import annotations

import socket
import ssl
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hmar.adapters.webhook_receivers import HttpReceivers
from hmar.ports import Posted
from tests.hmar.client.scripted import Scripted, answer
from tests.hmar.client.test_api import certificate

pytestmark = pytest.mark.slow
LOOPBACK = (ip_network("127.0.0.0/8"),)


def test_a_certificate_is_verified_for_the_name_that_was_resolved(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, ["DNS:ris.example"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=cert)

    def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    with Scripted([answer(200)], context) as server:
        url = f"https://ris.example:{urlsplit(server.url).port}/hook?a=b"
        other = url.replace("ris.example", "pacs.example")
        unverified = Posted(0, "The receiver's certificate cannot be verified.")
        assert HttpReceivers(LOOPBACK, resolve=resolve).post(url, {}, b"x") == unverified
        assert HttpReceivers(LOOPBACK, trusting, resolve).post(other, {}, b"x") == unverified
        assert server.asked == []
        assert HttpReceivers(LOOPBACK, trusting, resolve).post(url, {"X-A": "b"}, b"x") == Posted(200, None)
        [asked] = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/hook?a=b", b"x")
    assert asked.headers["Host"] == urlsplit(url).netloc
    assert asked.headers["X-A"] == "b"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Scripted([answer(202)]) as server:
        assert HttpReceivers(LOOPBACK).post(server.url, {}, b"x") == Posted(202, None)


def test_one_that_never_says_a_word_in_tls_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        receivers = HttpReceivers(LOOPBACK, deadline_s=0.2)
        posted = receivers.post(f"https://127.0.0.1:{port}/", {}, b"x")
        assert posted == Posted(0, "The receiver did not answer within 0.2 s.")
