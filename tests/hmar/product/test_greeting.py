"""The first words: an address that can be typed, a key that works, a link that logs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmar.config import Settings
from hmar.product.greeting import default_key, greeting, login_link, service_url
from hmar.values.identity import administrator
from hmar.wiring import Engine, build_engine


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return build_engine(Settings(home=tmp_path, port=8123))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("archive.example", "http://archive.example:80"),
    ],
)
def test_the_address_can_be_typed(host: str, url: str) -> None:
    assert service_url(Settings(host=host, port=80)) == url


def test_the_key_is_made_once_and_kept_for_its_owner_alone(engine: Engine) -> None:
    key = default_key(engine)
    assert key is not None
    assert engine.keys.verify(key) == administrator("default")
    assert default_key(engine) == key
    file = engine.settings.home / "secrets" / "api-key"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_revoked_key_is_not_made_again(engine: Engine) -> None:
    default_key(engine)
    engine.keys.revoke("default")
    assert default_key(engine) is None
    assert engine.keys.listed() == []
    assert "hmar keys new NAME" in greeting(engine, to_person=True)


def test_a_key_whose_file_was_lost_is_not_replaced(engine: Engine) -> None:
    key = default_key(engine)
    (engine.settings.home / "secrets" / "api-key").unlink()
    assert default_key(engine) is None
    assert key is not None
    assert engine.keys.verify(key) == administrator("default")


def test_a_log_is_told_neither_link_nor_key(engine: Engine) -> None:
    key = default_key(engine)
    assert key is not None
    assert key in greeting(engine, to_person=True)
    assert "/login?token=" in greeting(engine, to_person=True)
    logged = greeting(engine, to_person=False)
    assert key not in logged
    assert "token" not in logged
    assert "hmar keys login" in logged


def test_each_link_logs_in_once(engine: Engine) -> None:
    token = login_link(engine, "http://127.0.0.1:8123").removeprefix("http://127.0.0.1:8123/login?token=")
    assert engine.keys.redeem_login(token)
    assert not engine.keys.redeem_login(token)
