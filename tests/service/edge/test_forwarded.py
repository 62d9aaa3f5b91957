"""What a proxy says is believed from known proxies alone, and steers where the product thinks it is."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from email.message import Message
from ipaddress import ip_network
from pathlib import Path
from threading import Thread

import pytest

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from service.edge.bounds import Bounds
from service.edge.forwarded import believe
from service.edge.messages import Refusal
from service.edge.server import Server
from service.server import make_server
from tests.service.conftest import Archive, build_archive
from tests.service.edge.test_limits import environ

PROXIES = [ip_network("10.0.0.0/24")]
SAID = (
    ("host", "inside:8080"),
    ("x-forwarded-for", "1.1.1.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "hmar.example"),
    ("x-forwarded-prefix", "/apps/hmar/"),
)


def test_a_known_proxy_is_believed() -> None:
    sent = environ(*SAID, peer="10.0.0.5")
    believe(sent, PROXIES)
    said = (sent["REMOTE_ADDR"], sent["wsgi.url_scheme"], sent["HTTP_HOST"], sent["SCRIPT_NAME"])
    assert said == ("1.1.1.1", "https", "hmar.example", "/apps/hmar")


@pytest.mark.parametrize("proxies", [[], PROXIES])
def test_nobody_else_is(proxies: list[object]) -> None:
    sent = environ(*SAID, peer="9.9.9.9")
    believe(sent, proxies)  # type: ignore[arg-type]
    said = (sent["REMOTE_ADDR"], sent["wsgi.url_scheme"], sent["HTTP_HOST"], sent["SCRIPT_NAME"])
    assert said == ("9.9.9.9", "http", "inside:8080", "")


def test_what_the_nearest_proxy_added_counts() -> None:
    sent = environ(("x-forwarded-proto", "http, https"), ("x-forwarded-prefix", "/x"), peer="10.0.0.5")
    believe(sent, PROXIES)
    assert (sent["wsgi.url_scheme"], sent["SCRIPT_NAME"]) == ("https", "/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("proto", "javascript"),
        ("host", "a/b"),
        ("host", "user@host"),
        ("prefix", "apps"),
        ("prefix", "//evil.example"),
        ("prefix", "/a/../b"),
        ("prefix", "/a?b"),
        ("prefix", "/<script>"),
    ],
)
def test_what_is_no_scheme_host_or_path_is_refused(name: str, value: str) -> None:
    with pytest.raises(Refusal) as refused:
        believe(environ((f"x-forwarded-{name}", value), peer="10.0.0.5"), PROXIES)
    assert refused.value.answer.status == 400
    assert value.encode() not in refused.value.answer.body


@pytest.fixture(params=[True, False], ids=["known", "unknown"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Archive, Server, bool]]:
    archive = build_archive(tmp_path)
    proxies = (ip_network("127.0.0.0/8"),) if request.param else ()
    server = make_server(archive.app, "127.0.0.1", 0, Bounds(proxies=proxies))
    thread = Thread(target=server.run)
    thread.start()
    yield archive, server, request.param
    server.stop()
    thread.join()


@pytest.mark.slow
def test_the_product_lives_below_the_path_that_a_known_proxy_names(
    served: tuple[Archive, Server, bool],
) -> None:
    archive, server, known = served
    root = "/apps/hmar" if known else ""

    def ask(method: str, path: str, body: str = "", **headers: str) -> tuple[int, Message, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
            connection.request(method, path, body, {**dict(SAID), **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, headers, _ = ask("POST", "/login", f"token={token}", **kind)
    assert (status, headers["Location"]) == (303, f"{root}/")
    cookie = headers["Set-Cookie"].split("; ")
    assert (f"Path={root or '/'}" in cookie, "Secure" in cookie) == (True, known)
    _, _, page = ask("GET", "/", Cookie=cookie[0])
    assert f'data-root="{root}"' in page
    assert f'src="{root}/static/js/main.js"' in page
    key = {"Authorization": f"Bearer {archive.key}"}
    _, _, described = ask("GET", "/openapi.json", **key)
    assert json.loads(described)["servers"] == [{"url": root or "/"}]
    assert ask("GET", "/api/v1/series", **key)[0] == 200
    last = list(archive.engine.audit_log.rows())[-1].record
    assert (last.operation, last.address) == ("listSeries", "1.1.1.1" if known else "127.0.0.1")
