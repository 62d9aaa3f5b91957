"""Manifests of snapshots as other versions of the program would write them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def resealed(manifest: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a manifest says, and seal it again."""
    body = json.loads(manifest.read_bytes())["manifest"]
    change(body)
    seal = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    manifest.write_text(json.dumps({"manifest": body, "seal": seal}, sort_keys=True, indent=1))
