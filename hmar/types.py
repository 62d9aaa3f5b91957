"""The nouns of the domain: immutable values that every layer may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
CodeArray = NDArray[np.uint8]
WindowIds = NDArray[np.uint32]

ATYPICAL = 0.01
"""A frame of less typicality is out of distribution."""

Mode = Literal["global", "local", "auto"]
Bits = Literal[64, 128]
GroupBy = Literal["series", "study", "patient"]
Same = Literal["instance", "series", "study", "patient"]


class Spacing(NamedTuple):
    """Distance between pixel centres in mm: between rows, then between columns (PS3.3 10.7.1.3)."""

    row_mm: float
    column_mm: float


class Box(NamedTuple):
    """An axis-aligned rectangle in source pixels; pixel (0, 0) covers [0, 1) x [0, 1)."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """Centre as (x, y) in source pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    def extent_mm(self, spacing: Spacing) -> Box:
        """Return the same rectangle in mm from the image's upper left corner."""
        return Box(
            self.x * spacing.column_mm,
            self.y * spacing.row_mm,
            self.width * spacing.column_mm,
            self.height * spacing.row_mm,
        )


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """What is known of one frame besides its pixels. Holds no patient's name, id or date of birth.

    Parameters
    ----------
    study_uid, series_uid, sop_instance_uid : str
        DICOM UIDs; derived ones (``uids_derived``) where the file has none.
    frame_number : int
        From 1, as in DICOM.
    modality : str
        DICOM Modality (0008,0060), upper case; "OT" where unknown.
    body_part : str or None
        BodyPartExamined (0018,0015), upper case.
    patient_key : str or None
        Keyed hash of the patient's id, or None where the file has none.
    rows, columns : int
        Size of the frame in pixels.
    spacing : Spacing or None
        Pixel spacing in mm, None where unknown.
    series_number, instance_number : int or None
        For display order.
    position : tuple of float or None
        ImagePositionPatient in mm (x, y, z).
    uids_derived : bool
        True if any UID was derived from the content because the file carries none.
    sex : str or None
        Patient's Sex (0010,0040): "F", "M" or "O".
    age_years : int or None
        Patient's Age (0010,1010) in whole years; 90 for all above 89.
    study_date : date or None
        Study Date (0008,0020).
    manufacturer : str or None
        Manufacturer (0008,0070) as :func:`hmar.filters.manufacturer_value` leaves it.
    label : str or None
        What the images were called when they were indexed.
    """

    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame_number: int
    modality: str
    body_part: str | None
    patient_key: str | None
    rows: int
    columns: int
    spacing: Spacing | None
    series_number: int | None = None
    instance_number: int | None = None
    position: tuple[float, float, float] | None = None
    uids_derived: bool = False
    sex: str | None = None
    age_years: int | None = None
    study_date: date | None = None
    manufacturer: str | None = None
    label: str | None = None


class Units(StrEnum):
    """What the numbers in a frame mean."""

    HU = "HU"
    """Hounsfield units, air at -1000; padding is set to -1024."""
    PRESENTATION = "presentation"
    """Display values from 0 (black) to 1 (white) after the VOI LUT and any inversion."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded frame.

    Parameters
    ----------
    info : FrameInfo
        Its identity and geometry.
    values : ndarray of float32, shape (rows, columns)
        Hounsfield units or presentation values, see ``units``.
    units : Units
        Meaning of ``values``.
    display_window : tuple of float or None
        The file's own display window (centre, width) in HU, None where it has none or where the
        window has already been applied.
    """

    info: FrameInfo
    values: FloatArray
    units: Units
    display_window: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFrame:
    """The codes of one frame, and what they were made of.

    Parameters
    ----------
    info : FrameInfo
        The frame.
    global_code : ndarray of uint8, shape (16,)
        Packed 128-bit code of the whole frame (Expert0); its first 8 bytes are the 64-bit code.
    window_codes : ndarray of uint8, shape (W, 16)
        Packed code of each window (Expert1).
    window_ids : ndarray of uint32, shape (W,)
        Which window each row is; see :mod:`hmar.image.windows`.
    gate : tuple of float
        The router's weights (global, local); they sum to 1.
    model_fingerprint : str
        The encoder that made the codes. Codes of two models are never compared.
    """

    info: FrameInfo
    global_code: CodeArray
    window_codes: CodeArray
    window_ids: WindowIds
    gate: tuple[float, float]
    model_fingerprint: str


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What is looked for: codes, and how to weigh them.

    Parameters
    ----------
    global_code : ndarray of uint8, shape (16,)
        Code of the whole query frame.
    window_codes : ndarray of uint8, shape (Q, 16)
        A region's window and its eight neighbours, the centred one first; a spread of windows for a whole
        image. A frame's local distance is the mean over them of the distance to the frame's nearest window.
    gate : tuple of float
        Weights (global, local) of the two experts in mode "auto".
    typicality : float or None
        Share of frames like those that the model was trained on which lie at least as far out as the query's
        frame; None where the model cannot tell.
    """

    global_code: CodeArray
    window_codes: CodeArray
    gate: tuple[float, float]
    typicality: float | None = None


@dataclass(frozen=True, slots=True)
class CodeHit:
    """A frame that the index found.

    ``global_distance`` is an integer number of differing bits; ``local_distance`` is the mean over
    the query's windows. Smaller is nearer. ``window_id`` is the frame's window nearest to the query's first
    window, None for a frame that has no windows.
    """

    entry_id: int
    global_distance: int
    local_distance: float
    window_id: int | None


class Origin(NamedTuple):
    """Where a frame's bytes can be read again: the name of an image source, and its reference there."""

    source: str
    reference: str


@dataclass(frozen=True, slots=True)
class EntryInfo:
    """A catalogue row without its codes. ``origin`` stays on the server."""

    entry_id: int
    collection: str
    info: FrameInfo
    model_fingerprint: str
    origin: Origin


class Appended(NamedTuple):
    """How many frames an append added, and how many were there already."""

    added: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries may be found, and whether one by one or in groups. Empty and None: any.

    It is applied before the k nearest are taken, so that k of them come back where there are k. An entry of
    which a value is unknown is not found by a filter on it, and not left out by an exclusion of it.

    Parameters
    ----------
    collection : str or None
        This collection alone.
    exclude : frozenset of int
        Not these entries.
    modalities, body_parts, sexes, manufacturers, labels : frozenset of str
        Any of these; in the form of :mod:`hmar.filters`.
    age_years : tuple of int or None
        Least and greatest age, both included.
    study_dates : tuple of date or None
        First and last day, both included.
    not_patient : str or None
        Not the patient with this key.
    not_study, not_series : str or None
        Not the study or series with this UID.
    group_by : str or None
        The k nearest series, studies or patients, each by its nearest frame alone. A frame whose patient is
        unknown belongs to a patient who has this study and no other.
    """

    collection: str | None = None
    exclude: frozenset[int] = frozenset()
    modalities: frozenset[str] = frozenset()
    body_parts: frozenset[str] = frozenset()
    sexes: frozenset[str] = frozenset()
    manufacturers: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    age_years: tuple[int, int] | None = None
    study_dates: tuple[date, date] | None = None
    not_patient: str | None = None
    not_study: str | None = None
    not_series: str | None = None
    group_by: GroupBy | None = None


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index holds: live frames and windows, and the last log row applied (0 and "" before any).

    ``snapshot_seq`` is the last log row in the snapshot that the index stands on, 0 without one. It tells
    nothing of what the index holds, and takes no part in comparisons.
    """

    frames: int
    windows: int
    last_seq: int
    last_mark: str
    model_fingerprint: str
    snapshot_seq: int = field(default=0, compare=False)


class Message(NamedTuple):
    """A message on the job queue: "expand" carries a job's id, "item" an item's id."""

    kind: Literal["expand", "item"]
    target: str


class ImageFile(Protocol):
    """An opened file: its frames are known at once, their pixels are decoded one at a time."""

    @property
    def infos(self) -> Sequence[FrameInfo]:
        """Identity and geometry of each frame, in order of frame number."""

    def frame(self, frame_number: int) -> Frame:
        """Decode one frame (numbered from 1); raises DecodeError."""


@dataclass(frozen=True, slots=True, eq=False)
class LogRow:
    """One row of the append-only log.

    ``encoded`` is None for a delete and for an add deleted since. ``mark`` is drawn at random when the row is
    written: two catalogues whose rows of one number have the same mark have the same log up to there, for one
    is a copy of the other.
    """

    seq: int
    kind: Literal["add", "delete"]
    entry_id: int
    collection: str
    mark: str
    encoded: EncodedFrame | None


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer to a query.

    Parameters
    ----------
    rank : int
        From 1.
    entry : EntryInfo
        The frame found.
    distance : float
        The distance that ranked it at ``bits`` bits: global, local, or gate-weighted for mode "auto".
    global_distance, local_distance : float
        Hamming distances of Expert0 and Expert1.
    global_score, local_score : float
        1 - distance / bits, from 0 to 1; larger is more alike.
    gate : tuple of float
        The query's router weights (global, local).
    bits : int
        Code length compared.
    box : Box
        The window found, in source pixels of the hit's frame.
    box_mm : Box or None
        The same in mm from the upper left corner, None where spacing is unknown.
    model : str
        Name of the model.
    query_typicality : float or None
        Typicality of the query's frame, see :class:`Query`.
    """

    rank: int
    entry: EntryInfo
    distance: float
    global_distance: int
    local_distance: float
    global_score: float
    local_score: float
    gate: tuple[float, float]
    bits: Bits
    box: Box
    box_mm: Box | None
    model: str
    query_typicality: float | None = None

    @property
    def query_out_of_distribution(self) -> bool | None:
        """Whether the query is unlike all that the model was trained on; None where it cannot tell."""
        return None if self.query_typicality is None else self.query_typicality < ATYPICAL


class JobState(StrEnum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ItemState(StrEnum):
    """Life of one file of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    DEAD = "dead"
    """Given up after the allowed number of attempts."""


FINAL_ITEM_STATES = frozenset({ItemState.INDEXED, ItemState.UNCHANGED, ItemState.FAILED, ItemState.DEAD})


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """A series as listed for people: no patient data, only geometry and counts."""

    study_uid: str
    series_uid: str
    collection: str
    modality: str
    body_part: str | None
    frames: int


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a job; ``reason`` says why it failed, ``label`` is given to its frames."""

    item_id: int
    job_id: str
    collection: str
    origin: Origin
    state: ItemState
    attempts: int
    frames: int
    reason: str | None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """An index job and its progress; ``counts`` maps every item state to a number of items."""

    job_id: str
    collection: str
    origin: Origin
    state: JobState
    created_at: float
    updated_at: float
    counts: dict[ItemState, int]
    frames: int
    reason: str | None
    label: str | None = None

    @property
    def total(self) -> int:
        """Number of items known so far."""
        return sum(self.counts.values())

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self.state in (JobState.DONE, JobState.FAILED)


@dataclass(frozen=True, slots=True)
class GridConfig:
    """How frames are laid on the grid; part of a model's configuration.

    Parameters
    ----------
    pitch_mm : float
        Grid pixel size where the frame's spacing is known.
    unknown_side : int
        Length of the longer side, in grid pixels, where it is not.
    max_side : int
        No side is longer than this; a larger frame is laid on a coarser grid.
    min_side : int
        A frame whose longer side would be shorter than this is treated as of unknown spacing.
    stride : int
        Grid pixels per cell of the feature map; both sides are padded to a multiple of it.
    min_cells : int
        Both sides are padded to at least this many cells.
    """

    pitch_mm: float = 0.75
    unknown_side: int = 448
    max_side: int = 768
    min_side: int = 96
    stride: int = 16
    min_cells: int = 3


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """The windows of a model.

    Parameters
    ----------
    cells : tuple of int
        Side of each window size in feature-map cells, smallest first.
    strides : tuple of int
        Distance between neighbours of each size in cells; at most half the side.
    min_content : float
        A window showing less than this share of anything but air is dropped.
    """

    cells: tuple[int, ...] = (3, 5, 8)
    strides: tuple[int, ...] = (1, 2, 3)
    min_content: float = 0.3
