"""Backups that the server keeps."""

from __future__ import annotations

from pydantic import Field

from hmar.values.backups import BackupState
from service.models.background import Step
from service.models.given import Given
from service.models.numbers import Count
from service.models.times import Time

_STATE = (
    "waiting and running until it is there; then verified, or damaged where its file is not as long as it "
    "was. failed: it came to nothing, and is told until the next is asked for."
)


class BackupChecks(Given):
    """What was found when every byte of a backup was read again."""

    verified_at: Time
    database: bool = Field(description="Whether the database is in it; one of PostgreSQL is not.")
    uploads: Count = Field(description="Files that were sent.")
    model_fingerprint: str = Field(description="Of the model in use. Models are not in a backup.")
    product: str = Field(description="Version of the program that wrote it.")


class Backup(Given):
    """A backup, or what becomes of one."""

    name: str = Field(description="Of its file in the folder that HMAR_BACKUP_DIR names.")
    state: BackupState = Field(description=_STATE)
    created_at: Time = Field(description="When it was asked for.")
    size_bytes: Count | None
    checks: BackupChecks | None
    progress: Step | None = Field(description="While it runs.")
    problem: str | None = Field(description="Why it failed, or cannot be used any more.")
    remedy: str | None


class BackupList(Given):
    """Backups, newest first."""

    backups: list[Backup]
