"""What a test needs of the machine: there, or skipped with the reason, or failed where that is forbidden."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import NoReturn

import pytest


def require_command(name: str) -> str:
    """Return the path of an executable; skip without it, fail under HMAR_REQUIRE_E2E=1."""
    path = shutil.which(name)
    if path is None:
        _absent(f"{name} is not installed (Debian package of the same name)")
    return path


def require_module(name: str, extra: str) -> None:
    """Return if a module can be imported; skip without it, fail under HMAR_REQUIRE_E2E=1."""
    if find_spec(name) is None:
        _absent(f"{name} is not installed (pip install hmar-search[{extra}])")


def _absent(reason: str) -> NoReturn:
    if os.environ.get("HMAR_REQUIRE_E2E") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
