"""The data directory and the import folder: made where there are none, or refused in one line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hmar.config import Settings
from hmar.disk import FULL, write_error
from hmar.errors import ConfigError, shown

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_folders(settings: Settings) -> None:
    """Make the folders that the settings name, where there are none.

    Raises
    ------
    ConfigError
        If one of them is no folder or cannot be made, or HMAR_HOME cannot be written.
    DiskFullError
        If there is no room for it.
    """
    _make("HMAR_HOME", settings.home, "Set it to a folder that you may write.", mode=0o700)
    if not os.access(settings.home, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(
            f"HMAR_HOME is {shown(str(settings.home))}, which cannot be written.",
            "Set it to a folder that you may write, on a disk that is not read-only.",
        )
    _make("HMAR_IMPORT_DIR", settings.import_root, "Set it to a folder that there is, or that can be made.")


def written_by_others(home: Path) -> bool:
    """Whether other users may write into the data directory, and so alter the archive."""
    return bool(home.stat().st_mode & _OTHERS_WRITE)


def _make(variable: str, folder: Path, remedy: str, mode: int = 0o777) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        if error.errno in FULL:
            raise write_error(variable, error) from error
        reason = "is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise ConfigError(
            f"{variable} is {shown(str(folder))}, which cannot be used ({reason}).", remedy
        ) from error
