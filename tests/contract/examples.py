"""Small values for the contract suite and its neighbours."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from hmar.properties.table import TABLE
from hmar.values.codes import EncodedFrame, Query
from hmar.values.entries import Origin
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Spacing
from tests.samples import samples

MODEL = "model-a"
OTHER_MODEL = "model-b"
ORIGIN = Origin("local", "a/file")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def info(sop: str = "1.2.3", frame_number: int = 1, **changes: Any) -> FrameInfo:
    values: dict[str, Any] = {
        "study_uid": "1.2",
        "series_uid": "1.2.9",
        "sop_instance_uid": sop,
        "frame_number": frame_number,
        "patient_key": "0123456789abcdef",
        "rows": 512,
        "columns": 400,
        "spacing": Spacing(0.7, 0.8),
        "series_number": 3,
        "instance_number": 7,
        "position": (1.0, 2.0, 3.5),
        "pixel_aspect": 1.5,
        **{item.name: samples(item)[0] for item in TABLE.values()},
    }
    return FrameInfo(**{**values, **changes})


def code(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, 16, np.uint8)


def encoded(
    sop: str = "1.2.3", frame_number: int = 1, windows: int = 3, model: str = MODEL, **changes: Any
) -> EncodedFrame:
    frame = info(sop, frame_number, **changes)
    rng = np.random.default_rng(zlib.crc32(f"{sop}/{frame_number}".encode()))
    return EncodedFrame(
        info=frame,
        global_code=rng.integers(0, 256, 16, np.uint8),
        window_codes=rng.integers(0, 256, (windows, 16), np.uint8),
        window_ids=rng.integers(0, 2**32, windows, np.uint32),
        gate=(0.25, 0.75),
        model_fingerprint=model,
    )


def bits_code(*ones: int) -> np.ndarray:
    """A 128-bit code with ones in the places given, counted from the first bit."""
    bits = np.zeros(128, np.uint8)
    bits[list(ones)] = 1
    return np.packbits(bits)


def query(windows: int = 1, seed: int = 0, gate: tuple[float, float] = (0.4, 0.6)) -> Query:
    rng = np.random.default_rng(seed)
    return Query(rng.integers(0, 256, 16, np.uint8), rng.integers(0, 256, (windows, 16), np.uint8), gate)


def same_codes(a: EncodedFrame, b: EncodedFrame) -> bool:
    return (
        (a.info, a.gate, a.model_fingerprint) == (b.info, b.gate, b.model_fingerprint)
        and np.array_equal(a.global_code, b.global_code)
        and np.array_equal(a.window_codes, b.window_codes)
        and np.array_equal(a.window_ids, b.window_ids)
    )
