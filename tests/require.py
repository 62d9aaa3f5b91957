"""What a test needs of the machine: there, or skipped with the reason, or failed where that is forbidden."""

from __future__ import annotations

import os
import shutil

import pytest


def require_command(name: str) -> str:
    """Return the path of an executable; skip without it, fail under HMAR_REQUIRE_E2E=1."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed (Debian package of the same name)"
        if os.environ.get("HMAR_REQUIRE_E2E") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
