"""How large the body of a request may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_STOW_BYTES = "HMAR_MAX_STOW_BYTES"
"""Key of the largest body of a STOW-RS request in the application's configuration."""
STOW = "/dicom-web/studies"


def largest_body(config: Mapping[str, Any], method: str, path: str) -> int:
    """Return the largest body in bytes that a request may have.

    Parameters
    ----------
    config : mapping
        Of the application.
    method, path : str
        Of the request.
    """
    pushed = method == "POST" and (path == STOW or path.startswith(f"{STOW}/"))
    return int(config[MAX_STOW_BYTES if pushed else "MAX_CONTENT_LENGTH"])
