"""What a fuzz target is, and the table of all."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Once = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of foreign bytes.

    Parameters
    ----------
    make : callable
        Returns the function that reads one input. It returns for a result and for every error that the
        reader promises; whatever else it raises is a crash.
    seeds : callable
        Returns valid inputs by name, which mutation starts from.
    weight : int
        Its share of all executions: the faster a reader, the larger.
    most_bytes : int
        Largest input.
    """

    make: Callable[[], Once]
    seeds: Callable[[], Mapping[str, bytes]]
    weight: int
    most_bytes: int = 4096


TARGETS = {
    "intake": "A DICOM file, and the pixels of one that is not compressed",
    "luts": "Modality, VOI, palette and segmented lookup tables",
    "streams": "Headers of JPEG, JPEG-LS, JPEG 2000 and RLE",
    "pictures": "Chunks of PNG, and Exif",
    "messages": "Messages between the product and its decoders",
    "answers": "Answers of a decoder",
    "requests": "Requests of the API: JSON, forms, addresses",
    "snapshots": "Manifests and arrays of index snapshots",
    "backups": "Backups that are restored",
}
"""What each target reads; a module of :mod:`benchmark.trust.fuzzing.targets` has its name."""

INSTRUMENTED = ("hmar", "service", "pydicom.filereader", "pydicom.fileutil")
"""Packages whose coverage guides the mutation."""


def load_target(name: str) -> Target:
    """Import a target, and with it what it fuzzes."""
    found = importlib.import_module(f"benchmark.trust.fuzzing.targets.{name}").TARGET
    if not isinstance(found, Target):
        raise TypeError(f"{name} is not a target")
    return found
