"""Secrets: made once, read by their owner alone, the same for all who start together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hmar.errors import ConfigError
from hmar.secrets import create_private, load_secrets, replace_private


def test_secrets_are_32_bytes_stay_the_same_and_differ(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    assert len(first.patient) == len(first.session) == 32
    assert first.patient != first.session
    assert load_secrets(tmp_path) == first
    assert load_secrets(tmp_path / "other") != first


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]


def test_all_who_start_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: load_secrets(tmp_path), range(64)))
    assert all(secrets == found[0] for secrets in found)
    assert len(list((tmp_path / "secrets").iterdir())) == 2


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    (tmp_path / "secrets" / "patient").write_bytes(b"short")
    with pytest.raises(ConfigError, match="5 bytes"):
        load_secrets(tmp_path)


def test_create_never_replaces_and_replace_always_does(tmp_path: Path) -> None:
    path = tmp_path / "run" / "file"
    assert create_private(path, b"1")
    assert not create_private(path, b"2")
    assert path.read_bytes() == b"1"
    replace_private(path, b"3")
    assert path.read_bytes() == b"3"
    assert [file.name for file in path.parent.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600
