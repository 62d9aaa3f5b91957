"""Where to train."""

from __future__ import annotations

import torch

from hmar.errors import ConfigError


def choose_device(name: str) -> str:
    """Return "cpu" or "cuda" for "auto", "cpu" or "cuda"; raises ConfigError where no GPU can be used."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ConfigError("No GPU can be used by the installed torch.", "Give --device cpu, or leave it out.")
    return "cuda" if there and name != "cpu" else "cpu"
