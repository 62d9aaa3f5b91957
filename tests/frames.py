"""Frames made by numpy, for tests that need pixels but no file."""

from __future__ import annotations

import numpy as np

from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.geometry import Spacing

PLAIN = Spacing(1.4, 1.4)


def frame_info(
    rows: int = 256,
    columns: int = 256,
    spacing: Spacing | None = PLAIN,
    modality: str = "CT",
    body_part: str | None = None,
) -> FrameInfo:
    """Return the info of a frame that belongs to nobody."""
    return FrameInfo(
        study_uid="2.25.1",
        series_uid="2.25.2",
        sop_instance_uid="2.25.3",
        frame_number=1,
        modality=modality,
        body_part=body_part,
        patient_key=None,
        rows=rows,
        columns=columns,
        spacing=spacing,
    )


def textured_frame(seed: int, rows: int = 256, columns: int = 256, spacing: Spacing | None = PLAIN) -> Frame:
    """Return soft tissue with smooth texture in HU; every seed gives another."""
    noise = np.random.default_rng(seed).standard_normal((rows, columns))
    for axis in (0, 1):
        for _ in range(4):
            noise = (np.roll(noise, 1, axis) + noise + np.roll(noise, -1, axis)) / 3
    values = (40 + 400 * noise / noise.std()).astype(np.float32)
    return Frame(frame_info(rows, columns, spacing), values, Units.HU)
