"""What a backup is: a tar file with a manifest first, then exactly the members that the manifest lists.

::

    manifest.json              magic, format version, versions, size and SHA-256 of every member, its own seal
    catalogue.db               the database, where it is SQLite
    secrets/<name>
    uploads/<2 digits>/<SHA-256>

Any tar program can open it. This one accepts no other bytes than those it would write for the manifest: every
header is compared whole, and so there can be no link, no device, no path that leads elsewhere, and no member
that is not listed.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from hmar.errors import BackupError
from hmar.manifests import sealed, unsealed

MAGIC = "HMAR search backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
CATALOGUE = "catalogue.db"
MANIFEST_BYTES = 1 << 30
"""Largest manifest that is read."""
BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
_NAME = re.compile(
    rf"{re.escape(CATALOGUE)}|secrets/[a-z][a-z-]{{0,30}}|uploads/(?P<two>[0-9a-f]{{2}})/(?P=two)[0-9a-f]{{62}}"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REMEDY = "Use another backup. A file that was copied may be copied again from where it was written."


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a backup: its path in the data directory, its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Parameters
    ----------
    product : str
        Version of the program that wrote it.
    schema : str
        Revision of the database's schema.
    model, model_fingerprint : str
        The model that served. Models are not in a backup.
    created_at : float
        Seconds since the epoch.
    members : tuple of Member
        In order.
    """

    product: str
    schema: str
    model: str
    model_fingerprint: str
    created_at: float
    members: tuple[Member, ...]

    @property
    def holds_database(self) -> bool:
        """Whether the database is in it; one of PostgreSQL is not."""
        return any(member.name == CATALOGUE for member in self.members)

    @property
    def total_bytes(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members)

    def to_bytes(self) -> bytes:
        """Return the manifest with its seal, in the only form that is accepted back."""
        return sealed({"magic": MAGIC, "format_version": FORMAT_VERSION, **asdict(self)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest; raises BackupError if it is none, or was altered."""
        try:
            body, intact = unsealed(data)
            if body.pop("magic") != MAGIC:
                raise damaged("it is no backup of this program")
            if (version := body.pop("format_version")) != FORMAT_VERSION:
                raise BackupError(
                    f"The backup has format {version!r}, this version reads format {FORMAT_VERSION}.",
                    "Restore it with the version that wrote it, or a newer one.",
                )
            members = tuple(Member(**member) for member in body.pop("members"))
            manifest = cls(members=members, **body)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise damaged("its manifest cannot be read") from error
        if not intact:
            raise damaged("its manifest was altered")
        _check_members(members)
        return manifest


def damaged(what: str) -> BackupError:
    """Return the error for a backup that cannot be used."""
    return BackupError(f"The backup is damaged: {what}.", _REMEDY)


def header(name: str, size: int) -> bytes:
    """Return the tar header of a member, which says nothing but its name and size."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")


def padding(size: int) -> int:
    """Return how many zeros follow a member of ``size`` bytes."""
    return -size % BLOCK


def total_size(manifest_bytes: int, members: tuple[Member, ...]) -> int:
    """Return the size of the whole file."""
    sizes = [manifest_bytes, *(member.size for member in members)]
    return sum(BLOCK + size + padding(size) for size in sizes) + len(END)


def manifest_size(block: bytes) -> int:
    """Return the size of the manifest by its header; raises BackupError if that is not a manifest's."""
    try:
        size = tarfile.TarInfo.frombuf(block, "ascii", "strict").size
    except (tarfile.HeaderError, ValueError) as error:
        raise damaged("it does not begin with a manifest") from error
    if not 0 < size <= MANIFEST_BYTES or header(MANIFEST, size) != block:
        raise damaged("it does not begin with a manifest")
    return size


def _check_members(members: tuple[Member, ...]) -> None:
    for member in members:
        known = isinstance(member.name, str) and _NAME.fullmatch(member.name)
        if not known:
            raise damaged(f"its manifest lists {ascii(member.name)[:80]}, which no backup holds")
        if type(member.size) is not int or member.size < 0 or not _SHA256.fullmatch(str(member.sha256)):
            raise damaged(f"its manifest says nothing that can be about {member.name}")
    if len({member.name for member in members}) != len(members):
        raise damaged("its manifest lists a member twice")


def folders(members: tuple[Member, ...]) -> Iterator[str]:
    """Yield the folders that members lie in, parents first."""
    seen: set[str] = set()
    for member in members:
        parts = member.name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in seen:
                seen.add(folder)
                yield folder
