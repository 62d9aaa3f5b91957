"""What a test needs of the machine: there, or skipped with the reason, or failed where that is forbidden."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest


def require_command(name: str, package: str = "") -> str:
    """Return the path of an executable; skip without it, fail under HMAR_REQUIRE_E2E=1.

    ``package`` is Debian's, where it is called otherwise.
    """
    path = shutil.which(name)
    if path is None:
        absent(f"{name} is not installed (Debian package {package or name})")
    return path


def require_file(path: Path, package: str) -> Path:
    """Return a file that a Debian package holds; skip without it, fail under HMAR_REQUIRE_E2E=1."""
    if not path.exists():
        absent(f"{path.name} is not installed (Debian package {package})")
    return path


def require_module(name: str, extra: str) -> None:
    """Return if a module can be imported; skip without it, fail under HMAR_REQUIRE_E2E=1."""
    if find_spec(name) is None:
        absent(f"{name} is not installed (pip install hmar-search[{extra}])")


def absent(reason: str) -> NoReturn:
    """Skip with a reason, fail under HMAR_REQUIRE_E2E=1."""
    if os.environ.get("HMAR_REQUIRE_E2E") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
