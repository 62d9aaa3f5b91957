"""Codes of real people: what an archive holds of each series, and region queries from people set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from hmar.config import Settings
from hmar.errors import ConfigError, InputError
from hmar.index.windows import offsets_of
from hmar.values.codes import CodeArray, EncodedFrame, Query, WindowIds
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Box
from hmar.wiring import Engine, build_engine

HELD_OUT_SHARE = 0.1
"""Share of the patients whose boxes are the queries, and of whom no code is in a drawn archive."""
LEAST_PATIENTS = 2
QUERIES = 64
BOX_MM = (25.0, 32.0, 45.0, 64.0)
_SPACING_MM = 0.8
"""Of frames that do not tell theirs."""
_PAGE_ROWS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class RealSeries:
    """The codes of one series, slice after slice.

    Parameters
    ----------
    patient : str
        Handle of the patient, or the series' own UID where that is unknown.
    global_codes : ndarray of uint8, shape (F, 16)
    window_codes : ndarray of uint8, shape (W, 16)
    window_ids : ndarray of uint32, shape (W,)
    offsets : ndarray of int64, shape (F + 1,)
        Where the windows of each frame begin, and where the last frame's end.
    """

    patient: str
    global_codes: CodeArray
    window_codes: CodeArray
    window_ids: WindowIds
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.global_codes)

    @classmethod
    def of(cls, frames: Sequence[EncodedFrame]) -> RealSeries:
        """Return the codes of a series' frames, at least one, in their order."""
        return cls(
            _patient(frames[0]),
            np.stack([frame.global_code for frame in frames]),
            np.concatenate([frame.window_codes for frame in frames]),
            np.concatenate([frame.window_ids for frame in frames]),
            offsets_of(np.array([len(frame.window_ids) for frame in frames])),
        )

    def windows(self, frame: int) -> slice:
        """Return where the windows of a frame lie."""
        return slice(*self.offsets[frame : frame + 2].tolist())


@dataclass(frozen=True, slots=True, eq=False)
class RealCodes:
    """The codes of an archive's people, some of whom are set aside to ask with.

    Parameters
    ----------
    series : sequence of RealSeries
        Of everybody who is not set aside.
    asked : sequence of Query
        Region queries of nine windows each.
    askers : int
        Patients whose boxes these are.
    """

    series: Sequence[RealSeries]
    asked: Sequence[Query]
    askers: int

    @property
    def queries(self) -> CodeArray:
        """The nine windows of each query, the centred one first, shape (Q, 9, 16)."""
        return np.stack([query.window_codes for query in self.asked])


def read_codes(settings: Settings, queries: int = QUERIES, seed: int = 0) -> RealCodes:
    """Read an archive's codes under the model that it is searched with, and ask of a tenth of its patients.

    A query is a square box of 25 to 64 mm in the middle of a frame of a patient who is set aside, encoded
    from the frame's pixels as the product encodes it.

    Parameters
    ----------
    settings : Settings
        Of the archive, whose files must still lie where they were indexed from.
    queries : int
        How many to make, from 1.
    seed : int
        Decides who is set aside, and where boxes lie.

    Raises
    ------
    ConfigError
        If the archive has less than two patients, or no frame of those set aside can be read again.
    """
    generator = np.random.default_rng(seed)
    engine = build_engine(settings)
    try:
        rows = _rows(engine)
        patients = sorted({_patient(frame) for _, frame in rows})
        if len(patients) < LEAST_PATIENTS:
            raise ConfigError(
                f"The archive at {settings.home} has codes of {len(patients)} patients; archives are drawn "
                f"from those of {LEAST_PATIENTS} or more.",
                "Index scans of more people, or name another data directory with --data.",
            )
        asking = set(
            generator.permutation(patients)[: max(1, round(HELD_OUT_SHARE * len(patients)))].tolist()
        )
        kept = [frame for _, frame in rows if _patient(frame) not in asking]
        by_series = groupby(sorted(kept, key=_place), key=lambda frame: frame.info.series_uid)
        asked = [row for row in rows if _patient(row[1]) in asking]
        return RealCodes(
            [RealSeries.of(list(frames)) for _, frames in by_series],
            *_queries(engine, asked, queries, generator),
        )
    finally:
        engine.close()


def _rows(engine: Engine) -> list[tuple[int, EncodedFrame]]:
    """Return (entry id, codes) of every live frame with windows that was indexed with the model in use."""
    rows, seq = [], 0
    while page := engine.catalogue.tail(seq, _PAGE_ROWS):
        rows += [(row.entry_id, row.encoded) for row in page if row.encoded is not None]
        seq = page[-1].seq
    model = engine.encoder.fingerprint
    return [row for row in rows if row[1].model_fingerprint == model and len(row[1].window_ids)]


def _patient(frame: EncodedFrame) -> str:
    return frame.info.patient_key or frame.info.series_uid


def _place(frame: EncodedFrame) -> tuple[str, float, int, int]:
    info = frame.info
    height_mm = 0.0 if info.position is None else info.position[2]
    return info.series_uid, height_mm, info.instance_number or 0, info.frame_number


def _queries(
    engine: Engine, rows: Sequence[tuple[int, EncodedFrame]], count: int, generator: np.random.Generator
) -> tuple[list[Query], int]:
    """Encode boxes of frames in random order, as many of one frame as it takes; and count the patients."""
    boxes_each = -(-count // len(rows))
    asked, askers = list[Query](), set[str]()
    for at in generator.permutation(len(rows)).tolist():
        entry_id, encoded = rows[at]
        boxes = [_box(encoded.info, generator) for _ in range(boxes_each)]
        try:
            frame = engine.frame(engine.catalogue.entries([entry_id])[entry_id])
        except InputError:  # its file is gone, or another
            continue
        asked += engine.encoder.queries(frame, [[box] for box in boxes])
        askers.add(_patient(encoded))
        if len(asked) >= count:
            break
    if not asked:
        raise ConfigError(
            f"None of the {len(rows)} frames to ask with can be read again.",
            "Put their files back where they were indexed from, or index them again.",
        )
    return asked[:count], len(askers)


def _box(info: FrameInfo, generator: np.random.Generator) -> Box:
    """Draw a square box in the middle of a frame."""
    spacing_mm = _SPACING_MM if info.spacing is None else info.spacing.row_mm
    side = min(float(generator.choice(BOX_MM)) / spacing_mm, info.rows / 2, info.columns / 2)
    x, y = (generator.uniform(0.25 * size, 0.75 * size) - side / 2 for size in (info.columns, info.rows))
    return Box(max(x, 0.0), max(y, 0.0), side, side)
