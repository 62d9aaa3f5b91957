"""A small file system of its own that can be filled and freed: tmpfs, which only root may mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BALLAST = "ballast"


def unavailable() -> str | None:
    """Return why there is none on this machine, None where there is one."""
    if os.geteuid() != 0:
        return "only root may mount a file system"
    return None if shutil.which("mount") else "mount is not installed"


class SmallDisk:
    """A mounted file system. Use :func:`small_disk`.

    Parameters
    ----------
    folder : Path
        Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, leave: int) -> None:
        """Write until no more than ``leave`` bytes are free."""
        with (self.folder / _BALLAST).open("ab") as file:
            file.write(bytes(max(0, shutil.disk_usage(self.folder).free - leave)))

    def free(self) -> None:
        """Give back what :meth:`fill` took."""
        (self.folder / _BALLAST).unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """Mount a file system of ``size`` bytes until the context ends; RuntimeError where that is refused."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "trust", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)  # noqa: S603 - our own folder
    if done.returncode != 0:
        raise RuntimeError(f"no file system can be mounted: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S603, S607 - our own folder
