"""Secrets of one data directory: random keys and the printed API key, in files that only the owner reads."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hmar.disk import writing
from hmar.errors import ConfigError
from hmar.files import create_file, sync_folder, write_file
from hmar.locks import locked
from hmar.values.audit import FormerKey

KEY_BYTES = 32
_PATIENT = "patient"
_NEXT = "patient-next"
_ROW_BYTES = 8
_STEP_BYTES = KEY_BYTES + _ROW_BYTES
_IN_USE = "secrets-used.lock"
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
    patient : tuple of bytes
        32 bytes that key the hash of patient ids, and 32 more from each rotation, in order. If lost, old keys
        match no new ones.
    session : bytes
        32 bytes that sign the page's session cookie.
    audited : tuple of int
        The last row of the audit log before each rotation.
    """

    patient: tuple[bytes, ...]
    session: bytes
    audited: tuple[int, ...] = ()

    @property
    def audit(self) -> bytes:
        """32 bytes that key the audit log. They follow from the patient secret, and do not tell it."""
        return _audit_key(self.patient[-1])

    @property
    def former_audit(self) -> tuple[FormerKey, ...]:
        """The keys of the audit log before each rotation, and the last row under each."""
        ended = zip(self.audited, self.patient[:-1], strict=True)
        return tuple(FormerKey(row, _audit_key(key)) for row, key in ended)

    @property
    def webhooks(self) -> bytes:
        """32 bytes that secrets of webhooks are derived from. They do not tell the patient secret."""
        return hmac.digest(self.patient[-1], b"hmar webhooks", hashlib.sha256)

    @property
    def handles(self) -> bytes:
        """32 bytes that key the handles of patients. They do not tell the patient secret."""
        return hmac.digest(self.patient[-1], b"hmar patient handles", hashlib.sha256)

    @property
    def patient_check(self) -> str:
        """The check value of the patient secret."""
        return check_value(_PATIENT, self.patient_file)

    @property
    def patient_file(self) -> bytes:
        """What the file of the patient secret holds: 32 bytes, and 40 more from each rotation.

        Those are 32 bytes that it has drawn, and the number of the last row of the audit log before it.
        """
        first, *steps = self.patient
        rows = (row.to_bytes(_ROW_BYTES, "big") for row in self.audited)
        return first + b"".join(step + row for step, row in zip(steps, rows, strict=True))

    def rotated(self, last_row: int) -> Secrets:
        """Return these with another step drawn, after a row of the audit log."""
        step = secrets.token_bytes(KEY_BYTES)
        return replace(self, patient=(*self.patient, step), audited=(*self.audited, last_row))


def _audit_key(key: bytes) -> bytes:
    return hmac.digest(key, b"hmar audit log", hashlib.sha256)


def new_secrets() -> Secrets:
    """Return fresh secrets, for an archive that is gone with its process."""
    return Secrets((secrets.token_bytes(KEY_BYTES),), secrets.token_bytes(KEY_BYTES))


@contextmanager
def secrets_in_use(home: Path) -> Iterator[None]:
    """Keep the secrets of a data directory from being rotated; raises ConfigError while they are."""
    with _use_locked(home, exclusive=False) as held:
        if not held:
            raise ConfigError("The secret of patients is being rotated.", "Wait until that has ended.")
        yield


@contextmanager
def secrets_unused(home: Path) -> Iterator[None]:
    """Keep everybody else from the secrets of a data directory; raises ConfigError while one uses them."""
    with _use_locked(home, exclusive=True) as held:
        if not held:
            raise ConfigError(
                "The product runs on this data directory, or another command works with it.",
                "Stop the product, and wait until other commands have ended.",
            )
        yield


@contextmanager
def _use_locked(home: Path, exclusive: bool) -> Iterator[bool]:
    with ExitStack() as stack:
        with writing("HMAR_HOME"):
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            held = stack.enter_context(locked(home / _IN_USE, exclusive, wait=False))
        yield held


def load_secrets(home: Path, checks: CheckValues) -> Secrets:
    """Return the secrets of a data directory, made on first use, compared with their check values.

    Safe when several processes start at once: all of them return what the first one wrote. A secret of an
    older version gets its check value now. A rotation that was killed is finished, or undone, as the database
    says; the caller is within :func:`secrets_in_use` or :func:`secrets_unused`, so that none goes on.

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
    patient = folder / _PATIENT
    if not _exists(patient) and checks.holds_patient_keys():
        raise ConfigError("The secret 'patient' is missing.", _PATIENT_REMEDY)
    _settle(folder, checks)
    keys, audited = _parsed(_checked(patient, checks, _PATIENT_REMEDY))
    session = _checked(folder / "session", checks, _SESSION_REMEDY)
    return Secrets(keys, session, audited)


def prepare_rotation(home: Path, later: Secrets) -> None:
    """Write the next patient secret beside the one of now: it counts once its check value is kept."""
    replace_private(home / "secrets" / _NEXT, later.patient_file)


def _settle(folder: Path, checks: CheckValues) -> None:
    later = folder / _NEXT
    if not _exists(later):
        return
    value, known = check_value(_PATIENT, _read(later)), checks.secret_check(_PATIENT)
    if known is not None and hmac.compare_digest(value, known):
        later.replace(folder / _PATIENT)
    else:
        later.unlink()
    sync_folder(folder)


def _parsed(data: bytes) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Return the keys in the file of the patient secret, and the rows after which each but the last ended."""
    steps = [data[start : start + _STEP_BYTES] for start in range(KEY_BYTES, len(data), _STEP_BYTES)]
    keys = (data[:KEY_BYTES], *(step[:KEY_BYTES] for step in steps))
    return keys, tuple(int.from_bytes(step[KEY_BYTES:], "big") for step in steps)


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
    key = _read(path)
    rotated = path.name == _PATIENT and len(key) > KEY_BYTES and not (len(key) - KEY_BYTES) % _STEP_BYTES
    if len(key) != KEY_BYTES and not rotated:
        raise ConfigError(f"The secret {path.name!r} is {len(key)} bytes long, not {KEY_BYTES}.", remedy)
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
