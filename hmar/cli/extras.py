"""What commands share that need the packages of training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hmar.cli.settings import settings_from_environment
from hmar.errors import ConfigError

OPEN_CT_FOLDER = "open-ct"
"""Folder in HMAR_HOME of the open CT volumes."""


@contextmanager
def extra_train(what: str) -> Iterator[None]:
    """Turn an import that fails into a ConfigError that names the package and the extra "train".

    Parameters
    ----------
    what : str
        Who needs the package, at the beginning of a sentence.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{what} needs {error.name}, which is not installed.", "Run: pip install 'hmar-search[train]'"
        ) from error


def open_ct_folder(given: Path | None) -> Path:
    """Return the folder of the open CT volumes: the one given, or HMAR_HOME/open-ct."""
    return given or settings_from_environment().home / OPEN_CT_FOLDER
