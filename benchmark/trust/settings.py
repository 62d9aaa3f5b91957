"""The settings of the archives that trials are made on: cheap codes, short leases, no compilation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hmar.config import Settings
from hmar.known_models import THUMBNAIL

LEASE_S = 1.0
_CHOSEN = {
    "HMAR_MODEL_DIR": THUMBNAIL,
    "HMAR_SCAN_KERNELS": "numpy",
    "HMAR_SCAN_THREADS": "1",
    "HMAR_DECODERS": "1",
    "HMAR_ITEM_LEASE_S": str(LEASE_S),
    "HMAR_PORT": "0",
    # The small file system of the full disk has no room for the usual reserve.
    "HMAR_MIN_FREE_MB": "1",
}


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process that works on an archive; settings of this process do not count."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HMAR_")}
    return kept | _CHOSEN | {"HMAR_HOME": str(home), "OMP_NUM_THREADS": "1"} | more


def settings_of(home: Path, **more: str) -> Settings:
    """Return the settings of an archive; see :func:`environment_of`."""
    return Settings.from_environment(environment_of(home, **more))


def take_environment(environment: Mapping[str, str]) -> None:
    """Make this process's environment another one."""
    os.environ.clear()
    os.environ.update(environment)
