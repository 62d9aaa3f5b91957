"""What the commands share: the settings, and the connection to a running product."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from hmar.config import Settings
from hmar.errors import UnavailableError


def settings_from_environment() -> Settings:
    """Return the settings, with the broker of the product running on this data directory, if any."""
    settings = Settings.from_environment(os.environ)
    file = settings.home / "run" / "broker.url"
    if not settings.redis_url and not settings.in_memory and (url := read_if_there(file)):
        return replace(settings, redis_url=url)
    return settings


def read_if_there(file: Path) -> str:
    """Return what a running product wrote, empty where there is nothing that this user may read."""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def workers_answering(settings: Settings) -> int:
    """Return the number of workers of the running product; 0 if it does not run."""
    if settings.inline or not settings.redis_url:
        return 0
    from hmar.wiring import build_engine

    try:
        return build_engine(settings).queue.ping()
    except UnavailableError:
        return 0
