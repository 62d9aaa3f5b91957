"""Buckets, and who is refused by which."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from service.edge.bounds import Bounds
from service.edge.buckets import Buckets
from service.edge.clients import Client, address_of, client_of
from service.edge.environ import environ_of
from service.edge.known import make_file, shared_memory
from service.edge.limits import Limits
from service.edge.messages import Environ, Refusal
from service.edge.remembered import OwnMemory


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def environ(
    *headers: tuple[str, str], peer: str = "9.9.9.9", method: str = "GET", path: str = "/"
) -> Environ:
    return environ_of(
        {
            "method": method,
            "raw_path": path.encode(),
            "query_string": b"",
            "http_version": "1.1",
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "client": (peer, 1),
            "server": ("127.0.0.1", 2),
        }
    )


def test_a_bucket_gives_what_it_holds_and_then_what_flows_in() -> None:
    clock = Clock()
    buckets = Buckets(60, clock, OwnMemory())
    for _ in range(60):
        assert buckets.wait_s("a") == 0
        buckets.take("a")
    assert buckets.wait_s("a") == pytest.approx(1.0)
    assert buckets.wait_s("b") == 0
    clock.now += 1.0
    assert buckets.wait_s("a") == pytest.approx(0.0)
    clock.now += 1e6
    for _ in range(60):
        buckets.take("a")
    assert buckets.wait_s("a") == pytest.approx(1.0), "no more than a minute's worth is kept"


def test_of_many_names_the_least_used_are_forgotten() -> None:
    buckets = Buckets(1, Clock(), OwnMemory(most=2))
    for name in ("a", "b", "a", "c"):
        buckets.take(name)
    assert [buckets.wait_s(name) > 0 for name in ("a", "b", "c")] == [True, False, True]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("9.9.9.9", ["1.1.1.1"], "9.9.9.9"),
        ("10.0.0.5", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.5", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("10.0.0.5", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.5", ["6.6.6.6, 1.1.1.1, 10.0.0.7"], "1.1.1.1"),
        ("10.0.0.5", ["6.6.6.6, nonsense"], "10.0.0.5"),
        ("10.0.0.5", [], "10.0.0.5"),
        ("::ffff:10.0.0.5", ["2001:db8::1"], "2001:db8::1"),
        ("", ["1.1.1.1"], ""),
    ],
)
def test_only_a_known_proxy_is_believed_and_only_what_it_added(
    peer: str, forwarded: list[str], expected: str
) -> None:
    sent = environ(*(("x-forwarded-for", value) for value in forwarded), peer=peer)
    assert address_of(sent, [ip_network("10.0.0.0/24")]) == expected


def test_a_client_is_its_digest_and_the_key_is_in_no_field() -> None:
    bearer = client_of(environ(("authorization", "Bearer hmar_k")))
    plain = client_of(environ(("x-api-key", "hmar_k")))
    page = client_of(environ(("cookie", "a=b; hmar_session=hmar_k")))
    assert bearer == plain
    assert "hmar_k" not in repr(bearer)
    assert bearer.credential == page.credential
    assert (bearer.tries, page.tries, client_of(environ()).tries) == (True, False, False)
    assert client_of(environ(method="POST", path="/login")).tries


def test_one_ipv6_network_is_one_address() -> None:
    one, two = (client_of(environ(peer=f"2001:db8::{end}")).address for end in ("1", "2"))
    other = client_of(environ(peer="2001:db8:0:1::1")).address
    assert one == two != other


def refused(limits: Limits, client: Client) -> int:
    """Return Retry-After, 0 for a request that is admitted."""
    try:
        with limits.admitted(client):
            return 0
    except Refusal as refusal:
        answer = refusal.answer
    assert answer.status == 429
    return int(dict(answer.headers)[b"Retry-After"])


def test_an_address_that_tries_wrong_keys_is_refused_and_keys_that_work_are_not() -> None:
    clock = Clock()
    limits = Limits(Bounds(failures_per_minute=3), clock)
    good, wrong = Client("a", "good", True), Client("a", "wrong", True)
    limits.note(good, 200, "good")
    for _ in range(3):
        assert not refused(limits, wrong)
        limits.note(wrong, 401, None)
    assert refused(limits, wrong) == 20
    assert refused(limits, Client("a", None, True)), "a login link is no way round"
    assert not refused(limits, good)
    assert not refused(limits, Client("b", "wrong", True))
    limits.note(good, 401, None)
    assert refused(limits, good), "a revoked key is one of the wrong ones"
    clock.now += 20.0
    assert not refused(limits, wrong)


def test_a_wrong_key_that_an_open_route_answers_has_not_worked() -> None:
    limits = Limits(Bounds(failures_per_minute=1), Clock())
    wrong = Client("a", "wrong", True)
    limits.note(wrong, 200, None)
    limits.note(wrong, 401, None)
    assert refused(limits, wrong)


def test_the_next_token_of_somebody_counts_with_the_one_before() -> None:
    limits = Limits(Bounds(requests_per_minute=4, key_concurrency=1), Clock())
    tokens = [Client(address, address, True) for address in "abcd"]
    for token in tokens[:3]:
        assert not refused(limits, token), "nobody knows yet whose it is"
        limits.note(token, 200, "oidc anna")
    with limits.admitted(tokens[0]):
        assert refused(limits, tokens[1]), "one request at a time is one of the name"
    assert refused(limits, tokens[2]), "and all count together"
    assert not refused(limits, tokens[3])
    limits.note(tokens[3], 200, "oidc ben")
    assert not refused(limits, tokens[3])


def test_requests_of_a_key_and_of_an_address_are_counted_apart() -> None:
    limits = Limits(Bounds(requests_per_minute=2), Clock())
    assert not refused(limits, Client("a", "k", True))
    assert not refused(limits, Client("b", "k", True))
    assert refused(limits, Client("c", "k", True)) == 30
    assert not refused(limits, Client("a", "other", True))
    assert refused(limits, Client("a", None, False)) == 30


def test_processes_that_share_a_file_refuse_together_what_one_would_refuse(tmp_path: Path) -> None:
    clock = Clock()
    make_file(tmp_path / "limits", 2)
    bounds = Bounds(requests_per_minute=6, failures_per_minute=2, key_concurrency=1)
    one, two = (
        Limits(bounds, clock, shared_memory(tmp_path / "limits", number, 2, clock)) for number in range(2)
    )
    known, wrong = Client("1.1.1.1", "known", tries=True), Client("1.1.1.1", "wrong", tries=True)
    for limits in (one, two):
        limits.note(known, 200, "anna")
        limits.note(wrong, 401, None)
    for limits in (one, two):
        with pytest.raises(Refusal), limits.admitted(wrong):
            pass
    with one.admitted(known):
        with pytest.raises(Refusal) as refused, two.admitted(known):
            pass
        assert b"in hand already" in refused.value.answer.body
    for limits in (two, one, two):
        with limits.admitted(known):
            pass
    for limits in (one, two):
        with pytest.raises(Refusal) as refused, limits.admitted(known):
            pass
        assert b"Too many requests" in refused.value.answer.body
    clock.now += 10.0
    with two.admitted(known):
        pass
    with pytest.raises(Refusal), one.admitted(known):
        pass
