"""What was found of stored rows that are not what was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from hmar.values.entries import Origin


@dataclass(frozen=True, slots=True)
class CheckedEntries:
    """Some entries, in order of their ids, after their digests were compared.

    Parameters
    ----------
    checked : int
        How many.
    last_id : int
        The id of the last of them.
    unsealed : int
        How many of them an older version wrote without a digest.
    damaged : tuple of int
        Ids of those that are not what was written.
    """

    checked: int
    last_id: int
    unsealed: int
    damaged: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """The log, after it was compared with its digests and with the entries.

    Parameters
    ----------
    rows, unsealed : int
        How many it has, and how many of them have no digest.
    damaged : int
        Rows that are not what was written.
    lost : int
        Sequence numbers that no row has.
    vanished : tuple of int
        Ids of entries that were added, never deleted, and are not there.
    unlogged : int
        Entries that are there, and were never added.
    """

    rows: int
    unsealed: int
    damaged: int
    lost: int
    vanished: tuple[int, ...]
    unlogged: int

    @property
    def intact(self) -> bool:
        """Whether there is nothing to mend."""
        return not (self.damaged or self.lost or self.vanished or self.unlogged)


SealedTable = Literal["entries", "log"]


class Sealed(NamedTuple):
    """How many of some rows got a digest, and the id of the last row looked at."""

    rows: int
    last_id: int


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A frame whose row was damaged and taken out, by the names that the row had.

    One of them may be what is damaged. ``label``, ``patient_key`` and ``origin`` are what it is indexed again
    with; the patient is one that was given with the file, None where none was. ``patient_unknown`` says that
    some were, and not which of them is the row's: it is not indexed again then.
    """

    entry_id: int
    collection: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame_number: int
    label: str | None
    patient_key: str | None
    model_fingerprint: str
    origin: Origin
    patient_unknown: bool = False
