"""The golden file: a reproducible input, and the codes that the model must give for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hmar.encoder import HmarEncoder
from hmar.values.codes import hamming
from hmar.values.frames import Frame, FrameInfo, Units
from hmar.values.geometry import Spacing

SIDE = 256


def golden_frame() -> Frame:
    """Return a phantom in HU: an elliptic body with two lungs, a spine and a lesion."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    values = np.full((SIDE, SIDE), -1000.0, np.float32)
    for centre_x, centre_y, half_x, half_y, hu in (
        (128, 128, 110, 80, 40.0),
        (80, 120, 36, 52, -850.0),
        (176, 120, 36, 52, -850.0),
        (128, 180, 14, 16, 700.0),
        (90, 100, 7, 7, 30.0),
    ):
        inside = ((x - centre_x) / half_x) ** 2 + ((y - centre_y) / half_y) ** 2 <= 1
        values[inside] = hu
    info = FrameInfo(
        study_uid="2.25.1",
        series_uid="2.25.2",
        sop_instance_uid="2.25.3",
        frame_number=1,
        modality="CT",
        body_part="CHEST",
        patient_key=None,
        rows=SIDE,
        columns=SIDE,
        spacing=Spacing(1.4, 1.4),
    )
    return Frame(info, values, Units.HU)


def write_golden(path: Path, encoder: HmarEncoder) -> None:
    """Write the golden frame's values and its codes."""
    frame = golden_frame()
    encoded = encoder.encode(frame)
    np.savez_compressed(
        path,
        values=frame.values.astype(np.int16),
        global_code=encoded.global_code,
        window_codes=encoded.window_codes,
        window_ids=encoded.window_ids,
        gate=np.array(encoded.gate),
    )


def golden_difference(path: Path, encoder: HmarEncoder) -> tuple[int, int]:
    """Encode the golden frame; return how many bits differ from a golden file's, and of how many."""
    encoded = encoder.encode(golden_frame())
    found = np.concatenate([encoded.global_code[None], encoded.window_codes])
    with np.load(path, allow_pickle=False) as golden:
        if not np.array_equal(golden["window_ids"], encoded.window_ids):
            return found.size * 8, found.size * 8
        expected = np.concatenate([golden["global_code"][None], golden["window_codes"]])
    return int(hamming(found, expected).sum()), found.size * 8
