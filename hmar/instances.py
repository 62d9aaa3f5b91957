"""Whether what is to be indexed is what is indexed already under its SOP Instance UID, and what to do if not.

The UID names one instance, but files come with the UID of another image. What counts as the same is said in
docs/adr/0022-what-makes-a-frame-the-same.md.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hmar.config import KEEP_BOTH, REPLACE, SAME_UID
from hmar.contents import Content
from hmar.errors import ConflictError, DecodeError, shown
from hmar.ports import Catalogue
from hmar.values.digests import comparable, differing_fields, file_digest, header_digest, pixel_digest
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, FrameInfo, ImageFile
from hmar.values.uids import derived_uid

MAX_BAD_FRAMES = 32
"""Frames of one file that may fail before the others are left: each may take HMAR_DECODE_SECONDS."""

MAX_REPLACING_FRAMES = 2000
"""Frames of a file that may replace another: its codes, 14 kB a frame, are held until all are committed."""

_OWNERS = ("study_uid", "series_uid", "patient_key")
_SIZE = ("rows", "columns")
_SAID = {"study_uid": "study", "series_uid": "series", "patient_key": "patient"}

Bad = Mapping[int, DecodeError]
"""Why frames cannot be decoded, by their number."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """Frames of one instance that are to be indexed: those of a file, or one that is given as a value.

    Parameters
    ----------
    numbers : sequence of int
        Numbers of the frames.
    info : callable
        Returns what is known of a frame, by its number.
    frame : callable
        Decodes a frame, by its number; raises DecodeError.
    file_sha256 : str or None
        Digest of the file's bytes, None for a frame that is given as a value.
    given_patient : str or None
        Key of the patient that whoever indexes has given; see :meth:`of_patient`.
    """

    numbers: Sequence[int]
    info: Callable[[int], FrameInfo]
    frame: Callable[[int], Frame]
    file_sha256: str | None = None
    given_patient: str | None = None

    @classmethod
    def of_file(cls, file: ImageFile, data: Content) -> Incoming:
        """Return the frames of an opened file."""
        infos = file.infos
        numbers = range(1, len(infos) + 1)
        return cls(numbers, lambda number: infos[number - 1], file.frame, file_digest(data))

    @classmethod
    def of_frame(cls, frame: Frame) -> Incoming:
        """Return a frame that is given as a value."""
        return cls([frame.info.frame_number], lambda _: frame.info, lambda _: frame)

    def of_patient(self, key: str | None) -> Incoming:
        """Return the same frames with a patient that is given to them, where they name none; None gives none.

        Raises
        ------
        ConflictError
            If they name another patient.
        """
        named = self.first.patient_key
        if key is None or key == named:
            return self
        if named is not None:
            raise ConflictError(
                "The table gives this file another patient than its header does (PatientID, "
                "IssuerOfPatientID).",
                "Correct the table, or leave the file's patient empty there: the header's is taken then.",
            )
        return replace(
            self,
            info=lambda number: replace(self.info(number), patient_key=key),
            frame=lambda number: _of_patient(self.frame(number), key),
            given_patient=key,
        )

    @property
    def first(self) -> FrameInfo:
        """What is known of the first of them."""
        return self.info(self.numbers[0])

    @property
    def file_frames(self) -> int | None:
        """Number of frames in the file, None for a frame that is given as a value."""
        return None if self.file_sha256 is None else len(self.numbers)

    def is_file_of(self, entry: EntryInfo) -> bool:
        """Return whether an entry was made of the very bytes of this file, and not for another patient.

        The bytes do not tell which patient was given with them; no patient given says nothing of one.
        """
        same_patient = self.given_patient in (None, entry.info.patient_key)
        return self.has_bytes_of(entry) and same_patient

    def has_bytes_of(self, entry: EntryInfo) -> bool:
        """Return whether an entry was made of the very bytes of this file."""
        known = None if entry.digests is None else entry.digests.file_sha256
        return known is not None and known == self.file_sha256


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be added of an instance.

    Parameters
    ----------
    as_of : int
        The last log row that was looked at.
    uid : str
        The SOP Instance UID under which the frames are kept.
    missing : list of int
        Numbers of the frames that are not indexed yet.
    replaced : tuple of int
        Entries that go when the first frames come.
    bad : mapping
        Frames that are not missing, and could not be compared.
    patient_key : str or None
        The patient that was given with these bytes before, where nobody names one now.
    """

    as_of: int
    uid: str
    missing: list[int]
    replaced: tuple[int, ...] = ()
    bad: Bad = field(default_factory=dict)
    patient_key: str | None = None


class Planner:
    """Compares what is to be indexed with what is there.

    Parameters
    ----------
    catalogue : Catalogue
    model_fingerprint : str
        Of the encoder that will encode.
    same_uid : str
        What to do with another image under the UID of one that is indexed; one of ``SAME_UID``.
    """

    def __init__(self, catalogue: Catalogue, model_fingerprint: str, same_uid: str) -> None:
        self._catalogue = catalogue
        self._model_fingerprint = model_fingerprint
        self._same_uid = same_uid

    def plan(self, collection: str, incoming: Incoming, progress: Callable[[], None]) -> Plan:
        """Return what is to be added; ``progress`` is called after each frame decoded to compare it.

        Raises
        ------
        ConflictError
            If another image has the UID, and is neither replaced nor kept beside it; or if it cannot be
            replaced in one step, for the file has too many frames.
        DecodeError
            If no frame can be decoded that would tell whether it is another image.
        """
        as_of = self._catalogue.last_seq()
        if self._same_uid == KEEP_BOTH:
            uid = uid_beside(incoming)
            if held := self._catalogue.instance(collection, uid):
                return self._rest(as_of, uid, held, incoming)
        uid = incoming.first.sop_instance_uid
        held = self._catalogue.instance(collection, uid)
        differing, bad = compared(held, incoming, progress)
        if not differing:
            return self._rest(as_of, uid, held, incoming, bad)
        if self._same_uid == REPLACE:
            _check_replacing(uid, incoming)
            return Plan(as_of, uid, list(incoming.numbers), _in_the_way(held, incoming))
        if self._same_uid == KEEP_BOTH:
            return Plan(as_of, uid_beside(incoming), list(incoming.numbers))
        raise ConflictError(
            f"{_conflict(uid, held, incoming, differing)}. The archive keeps that one.",
            f"Delete it first, or set HMAR_SAME_UID to {' or '.join(SAME_UID[1:])}.",
        )

    def _rest(
        self, as_of: int, uid: str, held: Sequence[EntryInfo], incoming: Incoming, bad: Bad | None = None
    ) -> Plan:
        """Return the plan to add what is missing of an instance."""
        return Plan(
            as_of,
            uid,
            self._missing(held, incoming),
            bad=bad or {},
            patient_key=_kept_patient(held, incoming),
        )

    def _missing(self, held: Iterable[EntryInfo], incoming: Incoming) -> list[int]:
        known = {
            entry.info.frame_number for entry in held if entry.model_fingerprint == self._model_fingerprint
        }
        return [number for number in incoming.numbers if number not in known]


def compared(
    held: Sequence[EntryInfo], incoming: Incoming, progress: Callable[[], None]
) -> tuple[list[str], dict[int, DecodeError]]:
    """Return in what an image differs from the one that is indexed under its UID, and what cannot be decoded.

    Frames are decoded only where another file was indexed, and the headers are the same.

    Raises
    ------
    DecodeError
        If no frame of another file's can be compared, or too many cannot.
    """
    others = [entry for entry in held if not incoming.is_file_of(entry)]
    names = dict.fromkeys(name for entry in others for name in _differing_header(entry, incoming))
    if names:
        return list(names), {}
    pixels: defaultdict[int, set[str]] = defaultdict(set)
    for entry in others:
        if entry.digests is not None and entry.info.frame_number in incoming.numbers:
            pixels[entry.info.frame_number].add(entry.digests.pixels)
    bad: dict[int, DecodeError] = {}
    for number, known in pixels.items():
        try:
            if pixel_digest(incoming.frame(number)) not in known:
                return ["pixels"], {}
        except DecodeError as error:
            bad[number] = error
            if len(bad) == MAX_BAD_FRAMES or (len(bad) == len(pixels) and len(others) == len(held)):
                raise
        progress()
    return [], bad


def _differing_header(entry: EntryInfo, incoming: Incoming) -> list[str]:
    """Return in what the header differs from that of an entry, by name."""
    indexed, number, digests = entry.info, entry.info.frame_number, entry.digests
    owners = [name for name in _OWNERS if getattr(indexed, name) != getattr(incoming.first, name)]
    if owners:
        return [_SAID[name] for name in owners]
    frames = None if digests is None else digests.file_frames
    if incoming.file_frames is not None and (
        number not in incoming.numbers or frames not in (None, incoming.file_frames)
    ):
        return ["number of frames"]
    if number not in incoming.numbers:
        return []
    given = incoming.info(number)
    sizes = [name for name in _SIZE if getattr(indexed, name) != getattr(given, name)]
    if sizes or digests is None:
        return sizes
    header = header_digest(given)
    if not comparable(header, digests.header) or header == digests.header:
        return []
    return differing_fields(given, indexed) or ["header"]


def _of_patient(frame: Frame, key: str) -> Frame:
    return replace(frame, info=replace(frame.info, patient_key=key))


def _kept_patient(held: Iterable[EntryInfo], incoming: Incoming) -> str | None:
    """Return the patient that was given with a file's bytes before, None where the file names one now."""
    if incoming.first.patient_key is not None:
        return None
    return next((entry.info.patient_key for entry in held if incoming.has_bytes_of(entry)), None)


def _conflict(uid: str, held: Iterable[EntryInfo], incoming: Incoming, differing: Sequence[str]) -> str:
    """Say what is in the way of an image; of one that is there already, only its patient can be."""
    if incoming.given_patient is not None and any(map(incoming.has_bytes_of, held)):
        return (
            f"This image is indexed already, with SOP Instance UID {shown(uid)} and another patient than the "
            "table gives it, or none"
        )
    return (
        f"Another image with SOP Instance UID {shown(uid)} is indexed already; they differ in: "
        f"{', '.join(differing)}"
    )


def _check_replacing(uid: str, incoming: Incoming) -> None:
    if len(incoming.numbers) > MAX_REPLACING_FRAMES:
        raise ConflictError(
            f"Another image with SOP Instance UID {shown(uid)} is indexed already, and this one has "
            f"{len(incoming.numbers)} frames: at most {MAX_REPLACING_FRAMES} replace another in one step. "
            "The archive keeps that one.",
            "Delete that one, then index this one again.",
        )


def _in_the_way(held: Iterable[EntryInfo], incoming: Incoming) -> tuple[int, ...]:
    """Return the entries that an image replaces: all of the instance.

    A frame that is given as a value, of the same study, series and patient, replaces only itself.
    """
    given = incoming.first
    alone = incoming.file_sha256 is None and all(
        getattr(entry.info, name) == getattr(given, name) for entry in held for name in _OWNERS
    )
    return tuple(
        entry.entry_id for entry in held if not alone or entry.info.frame_number == given.frame_number
    )


def uid_beside(incoming: Incoming) -> str:
    """Return the UID under which an image is kept beside another that has its own.

    It is made of the file's bytes, and of a patient that was given with them; for a frame that is given as a
    value, of its pixels and its header.
    """
    given = incoming.first
    parts = [given.sop_instance_uid, incoming.file_sha256 or ""]
    if incoming.given_patient is not None:
        parts.append(incoming.given_patient)
    if incoming.file_sha256 is None:
        parts += [pixel_digest(incoming.frame(given.frame_number)), header_digest(given)]
    return derived_uid(hashlib.sha256("\0".join(["beside", *parts]).encode()).digest())
