"""Where commands find the open CT volumes."""

from __future__ import annotations

from pathlib import Path

from hmar.cli.settings import settings_from_environment

OPEN_CT_FOLDER = "open-ct"
"""Folder in HMAR_HOME of the open CT volumes."""


def open_ct_folder(given: Path | None) -> Path:
    """Return the folder of the open CT volumes: the one given, or HMAR_HOME/open-ct."""
    return given or settings_from_environment().home / OPEN_CT_FOLDER
