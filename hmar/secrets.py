"""Secrets of one data directory: random keys and the printed API key, in files that only the owner reads."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hmar.disk import writing
from hmar.errors import ConfigError
from hmar.files import create_file, write_file
from hmar.locks import locked

KEY_BYTES = 32
_PATIENT_REMEDY = (
    "Restore HMAR_HOME/secrets/patient from a backup. If there is none, "
    "index the images into another HMAR_HOME."
)
_SESSION_REMEDY = (
    "Restore HMAR_HOME/secrets/session from a backup, or delete the file: a new one is made, and logins end."
)


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

    @property
    def audit(self) -> bytes:
        """32 bytes that key the audit log. They follow from the patient secret, and do not tell it."""
        return hmac.digest(self.patient, b"hmar audit log", hashlib.sha256)

    @property
    def webhooks(self) -> bytes:
        """32 bytes that secrets of webhooks are derived from. They do not tell the patient secret."""
        return hmac.digest(self.patient, b"hmar webhooks", hashlib.sha256)

    @property
    def handles(self) -> bytes:
        """32 bytes that key the handles of patients. They do not tell the patient secret."""
        return hmac.digest(self.patient, b"hmar patient handles", hashlib.sha256)


def new_secrets() -> Secrets:
    """Return fresh secrets, for an archive that is gone with its process."""
    return Secrets(secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))


def load_secrets(home: Path, checks: CheckValues) -> Secrets:
    """Return the secrets of a data directory, made on first use, compared with their check values.

    Safe when several processes start at once: all of them return what the first one wrote. A secret of an
    older version gets its check value now.

    Parameters
    ----------
    home : Path
        The data directory.
    checks : CheckValues
        Where check values are kept: not beside the secrets.

    Raises
    ------
    ConfigError
        If a secret is not the one that the archive was made with, or the patient secret is missing although
        frames carry keys that were made with it: with another secret, the frames of one patient would look
        like those of two.
    """
    folder = home / "secrets"
    with writing("HMAR_HOME"):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(home / "secrets.lock", exclusive=True, wait=True):
            return _load(folder, checks)


def _load(folder: Path, checks: CheckValues) -> Secrets:
    patient = folder / "patient"
    if not _exists(patient) and checks.holds_patient_keys():
        raise ConfigError("The secret 'patient' is missing.", _PATIENT_REMEDY)
    return Secrets(
        patient=_checked(patient, checks, _PATIENT_REMEDY),
        session=_checked(folder / "session", checks, _SESSION_REMEDY),
    )


class CheckValues(Protocol):
    """Where the check values of secrets are kept; :class:`hmar.ports.Integrity` is one."""

    def secret_check(self, name: str) -> str | None:
        """Return the check value of a secret, None before there is one."""

    def keep_secret_check(self, name: str, value: str) -> None:
        """Store the check value of a secret, in place of any other."""

    def holds_patient_keys(self) -> bool:
        """Return whether any frame has a key that was made with the patient secret."""


def check_value(name: str, secret: bytes) -> str:
    """Return what tells a secret from any other, and does not tell the secret: a keyed hash of a constant."""
    return hmac.new(secret, f"hmar check value: {name}".encode(), hashlib.sha256).hexdigest()


def _checked(path: Path, checks: CheckValues, remedy: str) -> bytes:
    made = not _exists(path)
    secret = _key(path, remedy)
    value, known = check_value(path.name, secret), checks.secret_check(path.name)
    if made or known is None:
        if value != known:
            checks.keep_secret_check(path.name, value)
    elif not hmac.compare_digest(value, known):
        raise ConfigError(f"The secret {path.name!r} is not the one that this archive was made with.", remedy)
    return secret


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


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # in a folder that this user may not enter
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The secret {path.name!r} cannot be read ({error.strerror}).",
        "Let this user read HMAR_HOME/secrets, or restore it from a backup.",
    )


def _key(path: Path, remedy: str) -> bytes:
    if not _exists(path):
        create_private(path, secrets.token_bytes(KEY_BYTES))
    try:
        key = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(key) != KEY_BYTES:
        raise ConfigError(f"The secret {path.name!r} is {len(key)} bytes long, not {KEY_BYTES}.", remedy)
    return key
