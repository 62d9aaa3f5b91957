"""Where to train, and at what precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from hmar.errors import ConfigError


def choose_device(name: str) -> str:
    """Return "cpu" or "cuda" for "auto", "cpu" or "cuda"; raises ConfigError where no GPU can be used."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ConfigError("No GPU can be used by the installed torch.", "Give --device cpu, or leave it out.")
    return "cuda" if there and name != "cpu" else "cpu"


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return the context that the backbone runs in: bfloat16 on GPUs that compute in it, else as it is.

    Heads and losses stay outside: a spline's interval, and a logit's sign, need more than eight bits.
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
