"""Secrets of one data directory: random keys and the printed API key, in files that only the owner reads."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from hmar.disk import writing
from hmar.errors import ConfigError
from hmar.files import create_file, write_file

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """Random keys, made once for a data directory.

    Parameters
    ----------
    patient : bytes
        32 bytes that key the hash of patient ids. If lost, old keys match no new ones.
    session : bytes
        32 bytes that sign the page's session cookie.
    """

    patient: bytes
    session: bytes


def new_secrets() -> Secrets:
    """Return fresh secrets, for an archive that is gone with its process."""
    return Secrets(secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))


def load_secrets(home: Path) -> Secrets:
    """Return the secrets of a data directory, made on first use.

    Safe when several processes start at once: all of them return what the first one wrote.

    Raises
    ------
    ConfigError
        If a file is not 32 bytes long.
    """
    folder = home / "secrets"
    return Secrets(patient=_key(folder / "patient"), session=_key(folder / "session"))


def create_private(path: Path, data: bytes) -> bool:
    """Create a file that only its owner reads; return False where it exists already."""
    with writing("HMAR_HOME/secrets"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return create_file(path, data, mode=0o600)


def replace_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, in place of any other."""
    with writing(f"HMAR_HOME/{path.parent.name}"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(path, data, mode=0o600)


def _key(path: Path) -> bytes:
    try:
        if not path.exists():
            create_private(path, secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The secret {path.name!r} cannot be read ({error.strerror}).",
            "Let this user read HMAR_HOME/secrets, or restore it from a backup.",
        ) from error
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"The secret {path.name!r} is {len(key)} bytes long, not {KEY_BYTES}.",
            "Restore HMAR_HOME/secrets from a backup, or delete the file to make a new secret.",
        )
    return key
