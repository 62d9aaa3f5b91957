"""What the commands share: the settings, and the connection to a running product."""

from __future__ import annotations

import os
from dataclasses import replace

from hmar.config import Settings
from hmar.errors import UnavailableError


def settings_from_environment() -> Settings:
    """Return the settings, with the broker of the product running on this data directory, if any."""
    settings = Settings.from_environment(os.environ)
    file = settings.home / "run" / "broker.url"
    if not settings.redis_url and not settings.in_memory and file.exists():
        return replace(settings, redis_url=file.read_text().strip())
    return settings


def workers_answering(settings: Settings) -> int:
    """Return the number of workers of the running product; 0 if it does not run."""
    if settings.inline or not settings.redis_url:
        return 0
    from hmar.wiring import build_engine

    try:
        return build_engine(settings).queue.ping()
    except UnavailableError:
        return 0
