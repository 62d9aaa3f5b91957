from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hmar.errors import ParameterError
from hmar.ports import KeyStore
from hmar.values.identity import PAGE_LOGIN, Identity, KeyInfo, administrator
from tests.contract.examples import Clock

PACS = administrator("pacs")
LIMITED = Identity("lung", frozenset({"search", "delete"}), frozenset({"lung", "teaching"}))
READER = Identity(f"{PAGE_LOGIN} anna", frozenset({"search"}), frozenset({"lung"}))


def test_a_key_is_known_by_its_name_until_it_is_revoked(keys: KeyStore) -> None:
    key = keys.create(PACS)
    assert key.startswith("hmar_")
    assert keys.verify(key) == PACS
    assert keys.revoke("pacs")
    assert keys.verify(key) is None
    assert not keys.revoke("pacs")


@pytest.mark.parametrize("wrong", ["", "hmar_", "hmar_x", "é", "\udcff", "x" * 10_000])
def test_a_wrong_key_is_nobodys(keys: KeyStore, wrong: str) -> None:
    keys.create(PACS)
    assert keys.verify(wrong) is None


def test_names_are_unique_among_valid_keys(keys: KeyStore) -> None:
    old = keys.create(PACS)
    with pytest.raises(ParameterError, match="pacs"):
        keys.create(PACS)
    keys.revoke("pacs")
    new = keys.create(PACS)
    assert (keys.verify(old), keys.verify(new)) == (None, PACS)
    keys.create(administrator("archive"))
    assert [info.identity.name for info in keys.listed()] == ["archive", "pacs"]


@pytest.mark.parametrize("name", ["", " ", "-x", "a\nb", "a" * 65, "ä"])
def test_a_name_that_a_log_line_cannot_show_is_refused(keys: KeyStore, name: str) -> None:
    with pytest.raises(ParameterError):
        keys.create(administrator(name))
    assert keys.listed() == []


def test_a_login_token_works_once_and_not_after_its_time(keys: KeyStore, clock: Clock) -> None:
    token, late = keys.create_login(READER, 60.0), keys.create_login(READER, 60.0)
    assert not keys.redeem_login("wrong")
    assert keys.redeem_login(token) == READER
    assert not keys.redeem_login(token)
    clock.now += 60.0
    assert not keys.redeem_login(late)


def test_of_many_that_redeem_a_token_at_once_one_wins(keys: KeyStore) -> None:
    token = keys.create_login(READER, 60.0)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(keys.redeem_login, [token] * 8)).count(READER) == 1


def test_a_key_keeps_what_it_may_do_and_where(keys: KeyStore) -> None:
    assert keys.verify(keys.create(LIMITED)) == LIMITED
    assert keys.listed() == [KeyInfo(LIMITED)]


def test_a_key_stops_working_at_its_end_and_keeps_its_name_until_it_is_revoked(
    keys: KeyStore, clock: Clock
) -> None:
    key, end = keys.create(PACS, 60.0), clock.now + 60.0
    clock.now += 59.0
    assert keys.verify(key) == PACS
    clock.now += 1.0
    assert keys.verify(key) is None
    assert keys.listed() == [KeyInfo(PACS, end)]
    with pytest.raises(ParameterError, match="pacs"):
        keys.create(PACS)
    assert keys.revoke("pacs")


def test_the_last_use_of_a_key_is_kept_and_never_an_earlier_one(keys: KeyStore) -> None:
    keys.create(PACS)
    for at, kept in ((100.0, 100.0), (90.0, 100.0), (160.0, 160.0)):
        keys.note_uses({"pacs": at, "unknown": at})
        assert keys.listed() == [KeyInfo(PACS, None, kept)]


def test_a_new_key_has_not_the_uses_of_one_of_its_name_that_was_revoked(keys: KeyStore) -> None:
    keys.create(PACS)
    keys.note_uses({"pacs": 100.0})
    keys.revoke("pacs")
    keys.create(PACS)
    assert keys.listed() == [KeyInfo(PACS)]
