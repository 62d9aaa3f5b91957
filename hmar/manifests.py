"""Manifests with a checksum of their own, in the only form that is accepted back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def sealed(body: Mapping[str, Any]) -> bytes:
    """Return a manifest as JSON, with the SHA-256 of its canonical text."""
    seal = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return json.dumps({"manifest": body, "seal": seal}, sort_keys=True, indent=1).encode()


def unsealed(data: bytes) -> tuple[dict[str, Any], bool]:
    """Return what :func:`sealed` was given, and whether not one byte differs from what it returned.

    Raises
    ------
    ValueError, KeyError, TypeError, RecursionError
        If it is no manifest at all.
    """
    body = dict(json.loads(data)["manifest"])
    return body, sealed(body) == data
