"""Keys are kept and renewed as is stated, and a flood of unknown ones does not reach the provider."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from hmar.errors import AuthError, IdentityProviderError
from hmar.oidc.keys import AGAIN_S, ALONE_S, LIFETIME_S, ProviderKeys
from hmar.oidc.signatures import PublicKey
from tests.provider import FIRST, ec_key

ONE = PublicKey(FIRST.public_key(), None)
TWO = PublicKey(ec_key().public_key(), None)
PATIENCE_S = 20.0


class Source:
    """A provider, and the clock of whoever asks it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.published: Mapping[str, PublicKey] = {"one": ONE}
        self.away = False
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()
        self.answered = threading.Semaphore(0)

    def __call__(self) -> Mapping[str, PublicKey]:
        self.asked += 1
        self.answers.wait(PATIENCE_S)
        try:
            if self.away:
                raise IdentityProviderError("It is away.", "Wait.")
            return self.published
        finally:
            self.answered.release()


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def keys(source: Source) -> ProviderKeys:
    return ProviderKeys(source, lambda: source.now)


def renewed(source: Source, keys: ProviderKeys) -> None:
    """Wait until an answer has come that no request waited for."""
    assert source.answered.acquire(timeout=PATIENCE_S)
    assert keys._answered.wait(PATIENCE_S)


def test_keys_are_asked_for_once_and_kept(source: Source, keys: ProviderKeys) -> None:
    for _ in range(100):
        assert keys.find("one") is ONE
        source.now += LIFETIME_S / 100
    assert source.asked == 1


def test_old_keys_are_used_while_new_ones_are_asked_for(source: Source, keys: ProviderKeys) -> None:
    assert keys.find("one") is ONE
    renewed(source, keys)
    source.published = {"two": TWO}
    source.now += LIFETIME_S + 1
    source.answers.clear()
    for _ in range(3):
        assert keys.find("one") is ONE, "nobody waits for the answer"
    source.answers.set()
    renewed(source, keys)
    assert source.asked == 2
    with pytest.raises(AuthError, match="does not publish"):
        keys.find("one")


def test_an_unknown_key_is_asked_for_at_once(source: Source, keys: ProviderKeys) -> None:
    assert keys.find("one") is ONE
    source.published = {"one": ONE, "two": TWO}
    source.now += AGAIN_S
    assert keys.find("two") is TWO
    assert source.asked == 2


def test_a_flood_of_unknown_keys_asks_no_more_often_than_stated(source: Source, keys: ProviderKeys) -> None:
    assert keys.find("one") is ONE
    for number in range(80):
        source.now += AGAIN_S / 8
        with pytest.raises(AuthError, match="does not publish"):
            keys.find(f"unknown {number}")
    assert source.asked == 1 + 10


def test_a_flood_from_many_threads_asks_once(source: Source, keys: ProviderKeys) -> None:
    def find(_: int) -> PublicKey:
        return keys.find("one")

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(find, range(64))) == [ONE] * 64
    assert source.asked == 1


def test_keys_are_used_for_a_stated_time_without_the_provider(
    source: Source, keys: ProviderKeys, caplog: pytest.LogCaptureFixture
) -> None:
    assert keys.find("one") is ONE
    source.away = True
    while source.now <= 1000.0 + ALONE_S:
        assert keys.find("one") is ONE
        source.now += AGAIN_S
        assert keys._answered.wait(PATIENCE_S)
    with pytest.raises(IdentityProviderError, match="did not answer"):
        keys.find("one")
    assert "It is away." in caplog.text
    source.away = False
    source.now += AGAIN_S
    assert keys.find("one") is ONE, "it is back"


def test_a_provider_that_was_never_there_is_asked_again(source: Source, keys: ProviderKeys) -> None:
    source.away = True
    for _ in range(3):
        with pytest.raises(IdentityProviderError):
            keys.find("one")
    assert source.asked == 1
    source.away = False
    source.now += AGAIN_S
    assert keys.find("one") is ONE


def test_while_the_provider_hangs_others_do_not_wait_for_it(
    source: Source, keys: ProviderKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.oidc.keys.WAIT_S", 0.1)
    source.answers.clear()
    with ThreadPoolExecutor(1) as one:
        first = one.submit(keys.find, "one")
        with pytest.raises(IdentityProviderError):
            first.result(PATIENCE_S)
    source.now += ALONE_S
    with pytest.raises(IdentityProviderError):
        keys.find("one")
    assert source.asked == 1, "it is not asked a second time while the first one waits"
    source.answers.set()


def test_a_mistake_of_ours_does_not_stop_the_asking(caplog: pytest.LogCaptureFixture, source: Source) -> None:
    def broken() -> Mapping[str, PublicKey]:
        source.asked += 1
        raise RuntimeError("secret")

    keys = ProviderKeys(broken, lambda: source.now)
    for _ in range(2):
        with caplog.at_level(logging.ERROR), pytest.raises(IdentityProviderError):
            keys.find("one")
        source.now += AGAIN_S
    assert source.asked == 2
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text
