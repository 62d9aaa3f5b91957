"""Rotation of the secret that patients are told apart by: new keys of the keys, for the ids are not kept.

The next secret is written beside the one of now. Then one transaction gives each patient the next key, with
the check value of the next secret; who loads the secrets afterwards takes the one whose check value is there.
So a rotation that is killed has done nothing, or all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hmar.audit_log import AuditLog
from hmar.errors import ConfigError
from hmar.index.snapshot import drop_others
from hmar.ports import Integrity
from hmar.secrets import Secrets, load_secrets, prepare_rotation, secrets_unused
from hmar.values.audit import Accessed


def rotate(
    home: Path,
    index_root: Path,
    integrity: Integrity,
    audit_log: Callable[[Secrets], AuditLog],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Secrets, int]:
    """Rotate the patient secret of a data directory, and all that follows from it.

    Parameters
    ----------
    home : Path
        The data directory.
    index_root : Path
        Snapshots of the index in it are removed: they hold digests of keys.
    integrity : Integrity
        Of its database.
    audit_log : callable
        Returns the audit log as some secrets seal it. That a rotation was begun is logged.
    progress : callable
        Told (rows done, rows in all).

    Returns
    -------
    tuple of Secrets, int
        The secrets of now on, and how many frames have another key.

    Raises
    ------
    ConfigError
        If the product or another command uses the secrets, the audit log is broken, or a row of the database
        cannot be read. Nothing is changed then.
    """
    with secrets_unused(home):
        now = load_secrets(home, integrity)
        log = audit_log(now)
        log.append(
            [Accessed(time.time(), "rotateSecrets", "hmar secrets rotate", "admin", "command line", 0, "")]
        )
        verdict = log.verify()
        if verdict.fault:
            raise ConfigError(
                f"The audit log is broken: {verdict.fault}",
                "Export it with 'hmar audit export' and find out why: its key changes with the secret.",
            )
        later = now.rotated(verdict.last_seq)
        prepare_rotation(home, later)
        drop_others(index_root, "")
        frames = integrity.rotate_patients(
            later.patient[-1], later.patient_check, audit_log(later).proven_anchor(), progress
        )
        return load_secrets(home, integrity), frames
