from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hmar.errors import ParameterError
from hmar.ports import KeyStore
from tests.contract.examples import Clock


def test_a_key_is_known_by_its_name_until_it_is_revoked(keys: KeyStore) -> None:
    key = keys.create("pacs")
    assert key.startswith("hmar_")
    assert keys.verify(key) == "pacs"
    assert keys.revoke("pacs")
    assert keys.verify(key) is None
    assert not keys.revoke("pacs")


@pytest.mark.parametrize("wrong", ["", "hmar_", "hmar_x", "é", "\udcff", "x" * 10_000])
def test_a_wrong_key_is_nobodys(keys: KeyStore, wrong: str) -> None:
    keys.create("pacs")
    assert keys.verify(wrong) is None


def test_names_are_unique_among_valid_keys(keys: KeyStore) -> None:
    old = keys.create("pacs")
    with pytest.raises(ParameterError, match="pacs"):
        keys.create("pacs")
    keys.revoke("pacs")
    new = keys.create("pacs")
    assert (keys.verify(old), keys.verify(new)) == (None, "pacs")
    keys.create("archive")
    assert keys.names() == ["archive", "pacs"]


@pytest.mark.parametrize("name", ["", " ", "-x", "a\nb", "a" * 65, "ä"])
def test_a_name_that_a_log_line_cannot_show_is_refused(keys: KeyStore, name: str) -> None:
    with pytest.raises(ParameterError):
        keys.create(name)
    assert keys.names() == []


def test_a_login_token_works_once_and_not_after_its_time(keys: KeyStore, clock: Clock) -> None:
    token, late = keys.create_login(60.0), keys.create_login(60.0)
    assert not keys.redeem_login("wrong")
    assert keys.redeem_login(token)
    assert not keys.redeem_login(token)
    clock.now += 60.0
    assert not keys.redeem_login(late)


def test_of_many_that_redeem_a_token_at_once_one_wins(keys: KeyStore) -> None:
    token = keys.create_login(60.0)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(keys.redeem_login, [token] * 8)) == 1
