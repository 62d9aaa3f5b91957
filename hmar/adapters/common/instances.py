"""What every catalogue refuses to add: one instance is of one study, one series and one patient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hmar.errors import ConflictError, shown
from hmar.values.codes import EncodedFrame
from hmar.values.frames import FrameInfo

REMEDY = "Index the file again, or delete the instance first."


class Held(NamedTuple):
    """What a catalogue holds of one instance and from one file; ``newest`` is the entry added last."""

    sop_instance_uid: str
    study_uid: str
    series_uid: str
    patient_key: str | None
    file_sha256: str | None
    newest: int


def check_instances(held: Iterable[Held], frames: Sequence[EncodedFrame], as_of: int | None) -> None:
    """Refuse frames that do not belong to the instances whose UIDs they have.

    Parameters
    ----------
    held : iterable of Held
        What the catalogue holds of the instances of ``frames``.
    frames : sequence of EncodedFrame
        What is to be added.
    as_of : int or None
        The log row up to which the caller has compared; see :meth:`hmar.ports.Catalogue.append`.

    Raises
    ------
    ConflictError
        If an instance would be of two studies, series or patients, or a row later than ``as_of`` is of
        another file.
    """
    owners = {encoded.info.sop_instance_uid: _owner(encoded.info) for encoded in frames}
    files = {encoded.info.sop_instance_uid: _file(encoded) for encoded in frames}
    for encoded in frames:
        _check_owner(encoded.info.sop_instance_uid, owners, _owner(encoded.info))
    for one in held:
        _check_owner(one.sop_instance_uid, owners, one[1:4])
        same_file = one.file_sha256 is not None and one.file_sha256 == files[one.sop_instance_uid]
        if as_of is not None and one.newest > as_of and not same_file:
            raise ConflictError(
                f"Another file with SOP Instance UID {shown(one.sop_instance_uid)} was indexed meanwhile.",
                REMEDY,
            )


_Owner = tuple[str, str, str | None]


def _owner(info: FrameInfo) -> _Owner:
    return info.study_uid, info.series_uid, info.patient_key


def _check_owner(sop_instance_uid: str, owners: dict[str, _Owner], owner: _Owner) -> None:
    if owners[sop_instance_uid] != owner:
        raise ConflictError(
            f"SOP Instance UID {shown(sop_instance_uid)} is of another study, series or patient already.",
            REMEDY,
        )


def _file(encoded: EncodedFrame) -> str | None:
    return None if encoded.digests is None else encoded.digests.file_sha256
