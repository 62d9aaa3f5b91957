"""What became of an instance that was pushed here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hmar.values.identified import Identified


class FailureReason(IntEnum):
    """Why an instance was not taken: Failure Reason (0008,1197), PS3.18 annex I and PS3.4 annex GG."""

    SOP_CLASS = 0x0122
    """It is no image."""
    OUT_OF_RESOURCES = 0xA700
    """It is too large, or the disk has no room."""
    OTHER_STUDY = 0xA900
    """It is of another study than the request names."""
    NOT_UNDERSTOOD = 0xC000
    """It cannot be read."""
    TRANSFER_SYNTAX = 0xC122
    """Its pixels are compressed in a way that is not decoded."""


@dataclass(frozen=True, slots=True)
class Received:
    """An instance that was pushed.

    Parameters
    ----------
    instance : Identified or None
        What it says that it is, None where that cannot be told.
    failure : FailureReason or None
        None where it was taken.
    """

    instance: Identified | None
    failure: FailureReason | None
