"""Backups and verifications of the whole archive, made in the background by a worker."""

from __future__ import annotations

from flask import Blueprint

from hmar.config import Settings
from hmar.errors import ConflictError, ForbiddenError
from hmar.library.backups import Backups
from hmar.library.verifications import Verifications
from service.models.backups import Backup, BackupList
from service.models.verifications import LastVerification, Verification
from service.operations.operation import operation
from service.operations.whole_archive import check_sees_all

_TAG = "upkeep"
_LIMITED = "A key that is limited to collections may not."


def blueprint(settings: Settings) -> Blueprint:
    """Return the routes that look after what is stored."""
    routes = Blueprint("upkeep", __name__, url_prefix="/api/v1/archive")
    backups, verifications = Backups(settings), Verifications(settings)

    @routes.get("/backups")
    @operation(
        "listBackups",
        "The backups that the server keeps",
        tag=_TAG,
        gives="Backups, newest first.",
        scope="admin",
        description=f"What was asked for last is among them until it is there, or failed. {_LIMITED}",
        raises=(ForbiddenError,),
    )
    def listed() -> BackupList:
        check_sees_all("backups")
        return BackupList(backups=[Backup.of(one.to_dict()) for one in backups.listed()])

    @routes.post("/backups")
    @operation(
        "makeBackup",
        "Make a backup, in the background",
        tag=_TAG,
        gives="The backup that is to be.",
        scope="admin",
        description=(
            "A worker writes what `hmar backup` writes into the folder that HMAR_BACKUP_DIR names, and reads "
            "every byte again. The newest HMAR_KEPT_BACKUPS are kept. One is made at a time, and none "
            "without room for it on the disk (409). It is restored with `hmar restore`, and cannot be "
            f"downloaded. {_LIMITED}"
        ),
        status=202,
        raises=(ForbiddenError, ConflictError),
    )
    def make() -> Backup:
        check_sees_all("backups")
        return Backup.of(backups.ask().to_dict())

    @routes.get("/verifications")
    @operation(
        "readVerification",
        "What the last verification found, or how far it is",
        tag=_TAG,
        gives="The verification that was asked for last.",
        scope="admin",
        description=_LIMITED,
        raises=(ForbiddenError,),
    )
    def last() -> LastVerification:
        check_sees_all("verifications")
        found = verifications.last()
        return LastVerification(verification=None if found is None else Verification.of(found.to_dict()))

    @routes.post("/verifications")
    @operation(
        "verifyArchive",
        "Verify every stored byte, in the background",
        tag=_TAG,
        gives="The verification that is to be.",
        scope="admin",
        description=(
            "A worker verifies what `hmar doctor` does of stored bytes: the database file, the digest of "
            "every row, the log, files that were sent, the audit log, and snapshots of the index. Nothing is "
            "repaired: a worker does so once a day, and `hmar doctor --repair`. Damaged uploads and "
            f"snapshots are moved to quarantine. One is made at a time (409). {_LIMITED}"
        ),
        status=202,
        raises=(ForbiddenError, ConflictError),
    )
    def verify() -> Verification:
        check_sees_all("verifications")
        return Verification.of(verifications.ask().to_dict())

    return routes
