"""Secrets: made once, read by their owner alone, the same for all who start together."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hmar.adapters.memory import MemoryCatalogue
from hmar.adapters.memory.integrity import MemoryIntegrity
from hmar.errors import ConfigError, UnavailableError
from hmar.secrets import create_private, load_secrets, replace_private
from tests.contract.examples import ORIGIN, encoded


@pytest.fixture
def catalogue() -> MemoryCatalogue:
    return MemoryCatalogue()


@pytest.fixture
def checks(catalogue: MemoryCatalogue) -> MemoryIntegrity:
    return MemoryIntegrity(catalogue)


def test_secrets_are_32_bytes_stay_the_same_and_differ(tmp_path: Path, checks: MemoryIntegrity) -> None:
    first = load_secrets(tmp_path, checks)
    assert len(first.patient[0]) == len(first.session) == 32
    assert first.patient != (first.session,)
    assert load_secrets(tmp_path, checks) == first
    assert load_secrets(tmp_path / "other", MemoryIntegrity(MemoryCatalogue())) != first


def test_only_the_owner_may_read_them(tmp_path: Path, checks: MemoryIntegrity) -> None:
    load_secrets(tmp_path, checks)
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]


def test_all_who_start_at_once_get_the_same(tmp_path: Path, checks: MemoryIntegrity) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: load_secrets(tmp_path, checks), range(64)))
    assert all(secrets == found[0] for secrets in found)
    assert len(list((tmp_path / "secrets").iterdir())) == 2


def test_a_damaged_secret_is_refused(tmp_path: Path, checks: MemoryIntegrity) -> None:
    load_secrets(tmp_path, checks)
    (tmp_path / "secrets" / "patient").write_bytes(b"short")
    with pytest.raises(ConfigError, match="5 bytes"):
        load_secrets(tmp_path, checks)


@pytest.mark.parametrize("name", ["patient", "session"])
def test_a_folder_in_place_of_a_secret_is_told(tmp_path: Path, checks: MemoryIntegrity, name: str) -> None:
    load_secrets(tmp_path, checks)
    secret = tmp_path / "secrets" / name
    secret.unlink()
    secret.mkdir()
    with pytest.raises(ConfigError, match=f"'{name}' cannot be read \\(Is a directory\\)"):
        load_secrets(tmp_path, checks)


def test_secrets_in_a_folder_that_cannot_be_entered_are_told(
    tmp_path: Path, checks: MemoryIntegrity, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_secrets(tmp_path, checks)

    def refused(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refused)  # what it does, but not for root
    with pytest.raises(ConfigError, match="'patient' cannot be read \\(Permission denied\\)"):
        load_secrets(tmp_path, checks)


def test_a_lock_of_the_secrets_that_cannot_be_opened_is_told(tmp_path: Path, checks: MemoryIntegrity) -> None:
    (tmp_path / "secrets.lock").mkdir()
    with pytest.raises(UnavailableError, match="HMAR_HOME cannot be written"):
        load_secrets(tmp_path, checks)


def test_create_never_replaces_and_replace_always_does(tmp_path: Path) -> None:
    path = tmp_path / "run" / "file"
    assert create_private(path, b"1")
    assert not create_private(path, b"2")
    assert path.read_bytes() == b"1"
    replace_private(path, b"3")
    assert path.read_bytes() == b"3"
    assert [file.name for file in path.parent.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["patient", "session"])
@pytest.mark.parametrize("bit", [0, 100, 255])
def test_one_bit_of_a_secret_is_told_with_what_to_do(
    tmp_path: Path, checks: MemoryIntegrity, name: str, bit: int
) -> None:
    load_secrets(tmp_path, checks)
    path = tmp_path / "secrets" / name
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=f"'{name}' is not the one") as caught:
        load_secrets(tmp_path, checks)
    assert "backup" in caught.value.remedy
    assert bytes(data).hex() not in str(caught.value)


def test_a_missing_patient_secret_is_refused_where_frames_carry_its_keys(
    tmp_path: Path, catalogue: MemoryCatalogue, checks: MemoryIntegrity
) -> None:
    first = load_secrets(tmp_path, checks)
    (tmp_path / "secrets" / "patient").unlink()
    catalogue.append("default", [encoded(patient_key=None)], ORIGIN)
    second = load_secrets(tmp_path, checks)
    assert second.patient != first.patient
    catalogue.append("default", [encoded("1.9")], ORIGIN)
    assert load_secrets(tmp_path, checks) == second
    (tmp_path / "secrets" / "patient").unlink()
    with pytest.raises(ConfigError, match="missing"):
        load_secrets(tmp_path, checks)
    assert not (tmp_path / "secrets" / "patient").exists()


def test_a_missing_session_secret_is_made_anew(tmp_path: Path, checks: MemoryIntegrity) -> None:
    first = load_secrets(tmp_path, checks)
    (tmp_path / "secrets" / "session").unlink()
    second = load_secrets(tmp_path, checks)
    assert (second.patient, second.session != first.session) == (first.patient, True)
    assert load_secrets(tmp_path, checks) == second


def test_secrets_of_an_older_version_get_their_check_values(
    tmp_path: Path, catalogue: MemoryCatalogue, checks: MemoryIntegrity
) -> None:
    first = load_secrets(tmp_path, checks)
    catalogue.append("default", [encoded()], ORIGIN)
    later = MemoryIntegrity(catalogue)
    assert load_secrets(tmp_path, later) == first
    create = tmp_path / "secrets" / "patient"
    create.write_bytes(bytes(32))
    with pytest.raises(ConfigError):
        load_secrets(tmp_path, later)
